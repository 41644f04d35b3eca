import {
  Breadcrumb,
  BreadcrumbItem,
  Bullseye,
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Flex,
  FlexItem,
  PageSection,
  Spinner,
  Tab,
  Tabs,
  TabTitleText,
  Title,
} from '@patternfly/react-core';
import { lazy, Suspense, type ComponentType } from 'react';
import { Link, Navigate, useNavigate, useParams } from 'react-router';
import { useConnection, useVm } from '../api/use-gateway.js';
import { PowerButtons } from './power/power-buttons.js';
import { VmState } from './state/vm-state.js';
import { vmTabs, type VmTabProps } from './tabs.js';

const panels = new Map<string, ComponentType<VmTabProps>>(vmTabs.map(({ id, load }) => [id, lazy(load)]));

/** One VM: what it is, its power buttons, and a tab for each way of looking at it. */
export default function VmPage() {
  const { vm: id = '', tab = 'overview' } = useParams();
  const vm = useVm(id);
  const connection = useConnection();
  if (vm === undefined)
    return connection.kind === 'connecting' ? (
      <Bullseye>
        <Spinner aria-label="Looking for the VM" />
      </Bullseye>
    ) : (
      <NoSuchVm id={id} />
    );
  const Panel = panels.get(tab);
  if (Panel === undefined) return <Navigate to={`/vms/${encodeURIComponent(id)}`} replace />;
  return (
    <>
      <PageSection type="breadcrumb">
        <Breadcrumb>
          <BreadcrumbItem
            render={({ className }) => (
              <Link className={className} to="/vms">
                Virtual machines
              </Link>
            )}
          />
          <BreadcrumbItem isActive>{id}</BreadcrumbItem>
        </Breadcrumb>
      </PageSection>
      <PageSection>
        <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }} alignItems={{ default: 'alignItemsCenter' }}>
          <Flex alignItems={{ default: 'alignItemsCenter' }} gap={{ default: 'gapMd' }}>
            <FlexItem>
              <Title headingLevel="h1" className="qg-wrapped">
                {id}
              </Title>
            </FlexItem>
            <FlexItem>
              <VmState vm={vm} />
            </FlexItem>
          </Flex>
          <FlexItem>
            <PowerButtons vm={vm} />
          </FlexItem>
        </Flex>
      </PageSection>
      <VmTabs id={id} tab={tab} />
      <PageSection isFilled id={`tab-of-${tab}`} aria-label={tab}>
        <Suspense
          fallback={
            <Bullseye>
              <Spinner aria-label="Loading" />
            </Bullseye>
          }
        >
          <Panel key={id} vm={id} />
        </Suspense>
      </PageSection>
    </>
  );
}

function VmTabs({ id, tab }: { readonly id: string; readonly tab: string }) {
  const navigate = useNavigate();
  const addressOf = (name: string | number): string =>
    `/vms/${encodeURIComponent(id)}${name === 'overview' ? '' : `/${name}`}`;
  return (
    <PageSection type="tabs">
      <Tabs
        activeKey={tab}
        onSelect={(_, name) => void navigate(addressOf(name))}
        usePageInsets
        aria-label="Views of the VM"
      >
        {vmTabs.map(({ id: name, title }) => (
          <Tab
            key={name}
            eventKey={name}
            title={<TabTitleText>{title}</TabTitleText>}
            tabContentId={`tab-of-${name}`}
          />
        ))}
      </Tabs>
    </PageSection>
  );
}

function NoSuchVm({ id }: { readonly id: string }) {
  const navigate = useNavigate();
  return (
    <EmptyState titleText={`No VM ${id}`} headingLevel="h1" status="warning">
      <EmptyStateBody>
        The gateway knows none of this id, or does not show it to you. If it was here a moment ago, it was removed.
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button onClick={() => void navigate('/vms')}>All VMs</Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
