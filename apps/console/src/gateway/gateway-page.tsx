import { Bullseye, PageSection, Spinner, Tab, Tabs, TabTitleText, Title } from '@patternfly/react-core';
import { lazy, Suspense, type ComponentType } from 'react';
import { Navigate, useNavigate, useParams } from 'react-router';

interface GatewayView {
  readonly id: string;
  readonly title: string;
  readonly Panel: ComponentType;
}

const views: readonly GatewayView[] = [
  { id: 'glance', title: 'At a glance', Panel: lazy(() => import('./glance/glance-view.js')) },
  { id: 'tokens', title: 'Access and tokens', Panel: lazy(() => import('./tokens/tokens-view.js')) },
  { id: 'audit', title: 'Audit log', Panel: lazy(() => import('./audit/audit-view.js')) },
  { id: 'nodes', title: 'Nodes', Panel: lazy(() => import('./nodes/nodes-view.js')) },
];

/** The gateway itself: how it does, who may do what, who did what, and the others of its fleet. */
export default function GatewayPage() {
  const { view = 'glance' } = useParams();
  const navigate = useNavigate();
  const shown = views.find(({ id }) => id === view);
  if (shown === undefined) return <Navigate to="/gateway" replace />;
  const { Panel } = shown;
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">Gateway</Title>
      </PageSection>
      <PageSection type="tabs">
        <Tabs
          activeKey={view}
          onSelect={(_, id) => void navigate(id === 'glance' ? '/gateway' : `/gateway/${id}`)}
          usePageInsets
          aria-label="Views of the gateway"
        >
          {views.map(({ id, title }) => (
            <Tab key={id} eventKey={id} title={<TabTitleText>{title}</TabTitleText>} tabContentId={`view-${id}`} />
          ))}
        </Tabs>
      </PageSection>
      <PageSection isFilled id={`view-${view}`} aria-label={shown.title}>
        <Suspense
          fallback={
            <Bullseye>
              <Spinner aria-label="Loading" />
            </Bullseye>
          }
        >
          <Panel />
        </Suspense>
      </PageSection>
    </>
  );
}
