import {
  Breadcrumb,
  BreadcrumbItem,
  EmptyState,
  EmptyStateBody,
  Label,
  Sidebar,
  SidebarContent,
  SidebarPanel,
  Title,
} from '@patternfly/react-core';
import { SitemapIcon } from '@patternfly/react-icons/dist/esm/icons/sitemap-icon.js';
import type { QomTree } from '@qmp-gateway/client';
import { useCallback } from 'react';
import { Link, useParams } from 'react-router';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { useVmSchema } from '../commands/schema-memory.js';
import type { VmTabProps } from '../tabs.js';
import { QomLinks } from './qom-links.js';
import { QomProperties } from './qom-properties.js';
import { QomTreeView } from './qom-tree-view.js';
import { pathSteps, qomAddress } from './qom-address.js';
import '../../forms/forms.css';
import './qom.css';

/** The object tree of a VM; each object has an address. */
export default function QomTab({ vm }: VmTabProps) {
  return (
    <Asked answer={useVmSchema(vm)} what="The list of commands">
      {({ commands }) =>
        commands.some(({ name }) => name === 'qom-list') ? (
          <ObjectTree vm={vm} />
        ) : (
          <EmptyState titleText="No object tree" headingLevel="h2" icon={SitemapIcon}>
            <EmptyStateBody>This VM has no command that lists its objects.</EmptyStateBody>
          </EmptyState>
        )
      }
    </Asked>
  );
}

function ObjectTree({ vm }: VmTabProps) {
  const { '*': rest = '' } = useParams();
  const path = `/${rest.replace(/\/+$/, '')}`;
  return (
    <Sidebar hasGutter hasBorder>
      <SidebarPanel variant="sticky" width={{ default: 'width_100', lg: 'width_33' }} className="qg-qom-panel">
        <QomTreeView vm={vm} chosen={path} />
      </SidebarPanel>
      <SidebarContent hasNoBackground>
        <ObjectView key={path} vm={vm} path={path} />
      </SidebarContent>
    </Sidebar>
  );
}

function ObjectView({ vm, path }: { readonly vm: string; readonly path: string }) {
  const { client } = useGateway();
  const question = useCallback(
    (signal: AbortSignal) => client.vm(vm).qomObject(path, { values: 'none', signal }),
    [client, vm, path],
  );
  return (
    <div className="qg-fields">
      <PathView vm={vm} path={path} />
      <Asked answer={useAnswer(question)} what={path}>
        {(object) => <ObjectParts vm={vm} object={object} />}
      </Asked>
    </div>
  );
}

function PathView({ vm, path }: { readonly vm: string; readonly path: string }) {
  const steps = pathSteps(path);
  return (
    <Breadcrumb aria-label="Path of the object">
      {steps.map((step, index) => (
        <BreadcrumbItem
          key={step.path}
          isActive={index === steps.length - 1}
          render={({ className, ariaCurrent }) =>
            index === steps.length - 1 ? (
              <span className={className} aria-current={ariaCurrent}>
                {step.name}
              </span>
            ) : (
              <Link className={className} to={qomAddress(vm, step.path)}>
                {step.name}
              </Link>
            )
          }
        />
      ))}
    </Breadcrumb>
  );
}

function ObjectParts({ vm, object }: { readonly vm: string; readonly object: QomTree }) {
  const { path, type, properties = {}, links = {}, children = {} } = object;
  return (
    <div className="qg-fields">
      <Title headingLevel="h2" className="qg-wrapped qg-mono">
        {path} {type === null ? null : <Label variant="outline">{type}</Label>}
      </Title>
      <QomProperties vm={vm} path={path} properties={properties} />
      <QomLinks vm={vm} path={path} links={links} />
      <ChildList vm={vm} path={path} names={Object.keys(children)} />
    </div>
  );
}

function ChildList({
  vm,
  path,
  names,
}: {
  readonly vm: string;
  readonly path: string;
  readonly names: readonly string[];
}) {
  if (names.length === 0) return null;
  return (
    <section aria-label="Parts">
      <Title headingLevel="h3">Parts</Title>
      <ul className="qg-qom-children">
        {names.map((name) => (
          <li key={name}>
            <Link to={qomAddress(vm, `${path === '/' ? '' : path}/${name}`)}>{name}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
