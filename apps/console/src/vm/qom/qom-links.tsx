import { Button, Title } from '@patternfly/react-core';
import type { QomTree } from '@qmp-gateway/client';
import { Link } from 'react-router';
import { usePropertyValues, type ReadValue } from './property-values.js';
import { qomAddress } from './qom-address.js';

/** Where an object points to. */
export function QomLinks({
  vm,
  path,
  links,
}: {
  readonly vm: string;
  readonly path: string;
  readonly links: NonNullable<QomTree['links']>;
}) {
  const { values, read } = usePropertyValues(vm, path);
  if (Object.keys(links).length === 0) return null;
  return (
    <section aria-label="Links">
      <Title headingLevel="h3">Links</Title>
      <ul className="qg-qom-children">
        {Object.entries(links).map(([name, { type }]) => (
          <li key={name}>
            <span className="qg-mono">{name}</span> <span className="qg-subtle">{type}</span>{' '}
            <LinkTarget vm={vm} target={values.get(name)} name={name} onRead={() => void read(name)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function LinkTarget({
  vm,
  name,
  target,
  onRead,
}: {
  readonly vm: string;
  readonly name: string;
  readonly target: ReadValue | undefined;
  readonly onRead: () => void;
}) {
  if (target === undefined)
    return (
      <Button variant="link" isInline onClick={onRead}>
        Read<span className="pf-v6-screen-reader"> {name}</span>
      </Button>
    );
  if ('why' in target) return <span>{target.why}</span>;
  const path: unknown = JSON.parse(target.text);
  if (typeof path !== 'string' || path === '') return <span>leads nowhere</span>;
  return path.startsWith('/') ? <Link to={qomAddress(vm, path)}>{path}</Link> : <span>{path}</span>;
}
