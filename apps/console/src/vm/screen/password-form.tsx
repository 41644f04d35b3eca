import { Alert, Button, Form, InputGroup, InputGroupItem, TextInput } from '@patternfly/react-core';
import { useState } from 'react';

/** The password that the VM's own VNC server asks for. It is not kept. */
export function PasswordForm({ onAnswer }: { readonly onAnswer: (password: string) => void }) {
  const [password, setPassword] = useState('');
  return (
    <Alert component="h2" isInline variant="info" title="This display asks for a password of its own">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          onAnswer(password);
        }}
      >
        <InputGroup>
          <InputGroupItem isFill>
            <TextInput
              type="password"
              aria-label="Password of the display"
              autoComplete="off"
              value={password}
              onChange={(_, value) => setPassword(value)}
            />
          </InputGroupItem>
          <InputGroupItem>
            <Button type="submit">Open</Button>
          </InputGroupItem>
        </InputGroup>
      </Form>
    </Alert>
  );
}
