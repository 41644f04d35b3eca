import type { ReactNode } from 'react';
import { Card, CardBody, CardTitle, Gallery, GalleryItem } from '@patternfly/react-core';
import { useVm } from '../../api/use-gateway.js';
import type { VmTabProps } from '../tabs.js';
import { ConnectionFacts } from './connection-facts.js';
import { MachineFacts } from './machine-facts.js';
import { ScreenCard } from './screen-card.js';
import { StateFacts } from './state-facts.js';

/** What the VM is, how it is, and what is on its screen. */
export default function OverviewTab({ vm: id }: VmTabProps) {
  const vm = useVm(id);
  if (vm === undefined) return null;
  return (
    <Gallery hasGutter minWidths={{ default: '100%', md: '22rem' }} maxWidths={{ default: '1fr' }}>
      <GalleryItem>
        <FactCard title="State">
          <StateFacts vm={vm} />
        </FactCard>
      </GalleryItem>
      <GalleryItem>
        <ScreenCard vm={vm} />
      </GalleryItem>
      <GalleryItem>
        <FactCard title="Machine">
          <MachineFacts vm={vm} />
        </FactCard>
      </GalleryItem>
      <GalleryItem>
        <FactCard title="Connection">
          <ConnectionFacts vm={vm} />
        </FactCard>
      </GalleryItem>
    </Gallery>
  );
}

function FactCard({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Card isFullHeight component="section" aria-label={title}>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  );
}
