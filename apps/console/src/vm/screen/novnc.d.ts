/** The used part of noVNC, whose package has no types. */
declare module '@novnc/novnc' {
  export interface RfbOptions {
    readonly shared?: boolean;
    readonly credentials?: { readonly username?: string; readonly password?: string; readonly target?: string };
  }

  export interface RfbEvents {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ readonly clean: boolean }>;
    credentialsrequired: CustomEvent<{ readonly types: readonly string[] }>;
    securityfailure: CustomEvent<{ readonly status: number; readonly reason?: string }>;
    clipboard: CustomEvent<{ readonly text: string }>;
    desktopname: CustomEvent<{ readonly name: string }>;
  }

  export default class RFB {
    constructor(target: HTMLElement, channel: unknown, options?: RfbOptions);
    viewOnly: boolean;
    scaleViewport: boolean;
    clipViewport: boolean;
    focusOnClick: boolean;
    background: string;
    disconnect(): void;
    focus(): void;
    sendKey(keysym: number, code: string, down?: boolean): void;
    sendCredentials(credentials: { readonly username?: string; readonly password?: string }): void;
    addEventListener<Name extends keyof RfbEvents>(type: Name, listener: (event: RfbEvents[Name]) => void): void;
  }
}
