import { createContext, useContext } from 'react';
import type { SignIn } from './sign-in.js';

export const SignInContext = createContext<SignIn | undefined>(undefined);

export function useSignIn(): SignIn {
  const signIn = useContext(SignInContext);
  if (signIn === undefined) throw new Error('outside of the console');
  return signIn;
}
