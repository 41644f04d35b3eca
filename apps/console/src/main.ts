/**
 * The console: VMs in a browser. A page of the gateway at `/console` that talks to it as any other client does, through
 * `@qmp-gateway/client` alone. It holds no state of its own but what `GatewaySession` holds for whoever is signed in.
 */
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import '@patternfly/react-core/dist/styles/base.css';
import './app/console.css';
import { App, fetchAhead } from './app/app.js';
import { SignIn } from './app/sign-in.js';
import { theme } from './app/theme.js';

theme.apply();
const signIn = new SignIn();
void signIn.begin();
fetchAhead();
const element = document.getElementById('console');
if (element !== null) createRoot(element).render(createElement(App, { signIn }));
