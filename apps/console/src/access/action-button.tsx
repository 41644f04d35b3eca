import { Button, Tooltip, type ButtonProps } from '@patternfly/react-core';

interface ActionButtonProps extends Omit<ButtonProps, 'isDisabled' | 'isAriaDisabled'> {
  /** Why it cannot be used; shown on hover and on focus. */
  readonly whyNot?: string | undefined;
  /** What it will do; shown on hover while it can be used. */
  readonly does?: string | undefined;
}

/** A button that says on hover what it does, or why it cannot be used. It can be reached by keyboard either way. */
export function ActionButton({ whyNot, does, ...button }: ActionButtonProps) {
  const plain = <Button {...button} isAriaDisabled={whyNot !== undefined} />;
  const content = whyNot ?? does;
  return content === undefined ? plain : <Tooltip content={content}>{plain}</Tooltip>;
}
