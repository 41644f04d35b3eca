/** Who is warned of what keeps the gateway from doing as it was asked; the service's log. */
export interface Warnings {
  warn(message: string): void;
}
