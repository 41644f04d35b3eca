import { Switch, ToolbarItem, Tooltip } from '@patternfly/react-core';

interface LookSwitchProps {
  /** Of the element. */
  readonly id: string;
  readonly isLooking: boolean;
  /** Why the reader may not type; absent where he may. */
  readonly whyLooking: string | undefined;
  readonly onLook: (isLooking: boolean) => void;
}

/** Whether somebody only looks at a screen or a serial line; those who may not type see why. */
export function LookSwitch({ id, isLooking, whyLooking, onLook }: LookSwitchProps) {
  const look = (
    <Switch
      id={id}
      label="Look only"
      isChecked={isLooking}
      isDisabled={whyLooking !== undefined}
      onChange={(_, isChecked) => onLook(isChecked)}
    />
  );
  return (
    <ToolbarItem alignSelf="center">
      {whyLooking === undefined ? (
        look
      ) : (
        <Tooltip content={whyLooking}>
          <span>{look}</span>
        </Tooltip>
      )}
    </ToolbarItem>
  );
}

/** Why nothing can be typed now; undefined where it can. */
export function whyNotTyping(isLooking: boolean, whyLooking: string | undefined): string | undefined {
  return whyLooking ?? (isLooking ? 'You only look: switch that off to type.' : undefined);
}
