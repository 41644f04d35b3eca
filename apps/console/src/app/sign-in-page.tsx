import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  LoginPage,
  TextInput,
} from '@patternfly/react-core';
import { useState, type SubmitEvent } from 'react';
import type { SignIn } from './sign-in.js';

/** Asks for a token. */
export function SignInPage({ signIn, why }: { readonly signIn: SignIn; readonly why: string | undefined }) {
  const [token, setToken] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (token.trim() !== '') void signIn.signIn(token.trim());
  };
  return (
    <>
      <h1 className="pf-v6-screen-reader">QMP gateway</h1>
      <LoginPage
        loginTitle="Sign in to the gateway"
        loginSubtitle="With a token of this gateway."
        textContent="VMs of this gateway: their state, screens, serial lines, events and every command."
      >
        <Form onSubmit={submit}>
          {why === undefined ? null : (
            <Alert component="h3" isInline variant="warning" title="Not signed in">
              {why}
            </Alert>
          )}
          <FormGroup label="Token" fieldId="token" isRequired>
            <TextInput
              id="token"
              type="password"
              autoComplete="current-password"
              value={token}
              onChange={(_, value) => setToken(value)}
              autoFocus
              isRequired
            />
            <FormHelperText>
              <HelperText>
                <HelperTextItem>
                  Made by <code>qmp-gateway token create</code>; the first one is in <code>root.token</code> of the
                  state directory. It stays in this tab.
                </HelperTextItem>
              </HelperText>
            </FormHelperText>
          </FormGroup>
          <Button type="submit" isBlock isDisabled={token.trim() === ''}>
            Sign in
          </Button>
        </Form>
      </LoginPage>
    </>
  );
}
