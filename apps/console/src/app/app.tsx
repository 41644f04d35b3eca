import { Bullseye, Spinner } from '@patternfly/react-core';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { createBrowserRouter, Navigate, RouterProvider } from 'react-router';
import { GatewayContext } from '../api/use-gateway.js';
import { gatewayBase } from './gateway-url.js';
import { PageFailed } from './page-failed.js';
import { Shell } from './shell.js';
import type { SignIn } from './sign-in.js';
import { SignInContext } from './sign-in-context.js';
import { SignInPage } from './sign-in-page.js';

const fetchList = () => import('../vms/vms-page.js');

/** Begins to fetch what most visits need, while it is not known yet who signs in. */
export function fetchAhead(): void {
  void fetchList().catch(() => undefined);
}

/** Pages in parts: each is fetched when it is first looked at. */
function consoleRouter() {
  return createBrowserRouter(
    [
      {
        path: '/',
        Component: Shell,
        ErrorBoundary: PageFailed,
        HydrateFallback: Loading,
        children: [
          { index: true, element: <Navigate to="/vms" replace /> },
          { path: 'vms', lazy: async () => ({ Component: (await fetchList()).default }) },
          { path: 'vms/:vm/:tab?/*', lazy: async () => ({ Component: (await import('../vm/vm-page.js')).default }) },
          { path: 'events', lazy: async () => ({ Component: (await import('../events/events-page.js')).default }) },
          {
            path: 'operations',
            lazy: async () => ({ Component: (await import('../operations/operations-page.js')).default }),
          },
          {
            path: 'gateway/:view?',
            lazy: async () => ({ Component: (await import('../gateway/gateway-page.js')).default }),
          },
          { path: '*', element: <Navigate to="/vms" replace /> },
        ],
      },
    ],
    { basename: `${gatewayBase}/console` },
  );
}

/** The whole console. */
export function App({ signIn }: { readonly signIn: SignIn }) {
  const state = useSyncExternalStore(signIn.changed.subscribe, () => signIn.state);
  const session = state.kind === 'signed-in' ? state.session : undefined;
  // Another session gets pages that were never rendered for anybody else.
  const router = useMemo(consoleRouter, [session]);
  useEffect(() => {
    if (session === undefined) return;
    return session.vms.changed.subscribe(() => {
      const { connection } = session.vms;
      if (connection.kind === 'refused') signIn.signOut(`You were signed out: ${connection.why}`);
    });
  }, [session, signIn]);
  if (state.kind === 'checking') return <Loading what="Signing in" />;
  if (session === undefined)
    return <SignInPage signIn={signIn} why={state.kind === 'signed-out' ? state.why : undefined} />;
  return (
    <SignInContext value={signIn}>
      <GatewayContext value={session}>
        <RouterProvider router={router} />
      </GatewayContext>
    </SignInContext>
  );
}

function Loading({ what = 'Loading' }: { readonly what?: string }) {
  return (
    <Bullseye>
      <Spinner aria-label={what} />
    </Bullseye>
  );
}
