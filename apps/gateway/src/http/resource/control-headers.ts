import { controlReferences, type ControlName, type Parameter, type Reference } from '@qmp-gateway/qapi-openapi';
import type { IncomingHttpHeaders } from 'node:http';
import type { ValueFault } from './field-type.js';

/** What a handler's declarations say of the parameters that it takes. */
interface TakenParameters {
  readonly parameters?: readonly (Parameter | Reference)[];
}

/** A header that says how a command is run. */
interface ControlHeader {
  readonly header: string;
  readonly component: ControlName;
  /** What a resource says that does not take it. */
  readonly refusal: string;
}

/**
 * The headers that change what a request does, by the names that some of them have in a query. `Prefer` is none of them:
 * whoever sends it takes any answer.
 */
const controlHeaders: Readonly<Record<string, ControlHeader>> = {
  timeout: {
    header: 'Request-Timeout',
    component: 'RequestTimeoutHeader',
    refusal: 'only commands and resources that run commands take it',
  },
  dryRun: { header: 'Dry-Run', component: 'DryRunHeader', refusal: 'only single commands take it' },
  idempotencyKey: {
    header: 'Idempotency-Key',
    component: 'IdempotencyKeyHeader',
    refusal: 'only single commands take it',
  },
  epoch: { header: 'QMP-VM-Epoch', component: 'VmEpochHeader', refusal: 'only commands for one VM take it' },
};
const all = Object.values(controlHeaders);

function takes(additions: readonly TakenParameters[], { component }: ControlHeader): boolean {
  const [reference] = controlReferences([component]);
  return additions.some(({ parameters = [] }) =>
    parameters.some((parameter) => '$ref' in parameter && parameter.$ref === reference?.$ref),
  );
}

/** Leads from a query parameter to a header where the handler takes that header. */
export function headerInstead(additions: readonly TakenParameters[]): (name: string) => string | undefined {
  return (name) => {
    const control = Object.hasOwn(controlHeaders, name) ? controlHeaders[name] : undefined;
    if (control === undefined || !takes(additions, control)) return undefined;
    return `unknown here; send the header ${control.header}`;
  };
}

/** Whether a resource runs commands as its caller's headers say. */
export function takesControls(additions: readonly TakenParameters[]): boolean {
  return all.some((control) => takes(additions, control));
}

/** Headers of a request that would have to change what it does, though its resource does not take them. */
export function misplacedControls(additions: readonly TakenParameters[], headers: IncomingHttpHeaders): ValueFault[] {
  return all.flatMap((control) => {
    const value = headers[control.header.toLowerCase()];
    // `Dry-Run: false` is what happens anyway.
    if (value === undefined || takes(additions, control) || (control.component === 'DryRunHeader' && value === 'false'))
      return [];
    return [{ pointer: `/${control.header}`, message: control.refusal }];
  });
}
