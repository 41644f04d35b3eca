import { Alert, AlertActionCloseButton, AlertActionLink, AlertGroup, Spinner } from '@patternfly/react-core';
import { useEffect, useSyncExternalStore } from 'react';
import { useNavigate } from 'react-router';
import { useGateway } from '../api/use-gateway.js';
import type { OutcomeNews } from './outcome-list.js';

/** Milliseconds that a notice of success stays; others stay until they are put away. */
const doneMs = 6_000;
const mostShown = 5;

const variants = {
  pending: 'info',
  done: 'success',
  refused: 'danger',
  'not-sent': 'warning',
  unknown: 'warning',
} as const;
const words: Readonly<Record<OutcomeNews['kind'], string>> = {
  pending: 'running',
  done: 'done',
  refused: 'refused',
  'not-sent': 'not sent',
  unknown: 'outcome unknown',
};

/** What became of the reader's commands, in the corner of the page. */
export function OutcomeToasts() {
  const { outcomes } = useGateway();
  const all = useSyncExternalStore(outcomes.changed.subscribe, () => outcomes.all);
  const shown = all.slice(-mostShown).reverse();
  return (
    <AlertGroup isToast isLiveRegion aria-label="What became of commands" hasAnimations>
      {shown.map((news) => (
        <OutcomeToast key={`${news.id} ${news.kind}`} news={news} onClose={() => outcomes.remove(news.id)} />
      ))}
    </AlertGroup>
  );
}

function OutcomeToast({ news, onClose }: { readonly news: OutcomeNews; readonly onClose: () => void }) {
  const { kind, title, detail, link } = news;
  const navigate = useNavigate();
  useEffect(() => {
    if (kind !== 'done') return;
    const timer = setTimeout(onClose, doneMs);
    return () => clearTimeout(timer);
    // The notice lives as long as its kind; a new function of the parent changes nothing.
  }, [kind]);
  return (
    <Alert
      variant={variants[kind]}
      component="h2"
      title={`${title}: ${words[kind]}`}
      {...(kind === 'pending' ? { customIcon: <Spinner size="md" aria-label="running" /> } : {})}
      actionClose={<AlertActionCloseButton title={title} onClose={onClose} />}
      {...(link === undefined
        ? {}
        : { actionLinks: <AlertActionLink onClick={() => void navigate(link.to)}>{link.text}</AlertActionLink> })}
    >
      {detail === undefined ? null : <span className="qg-wrapped">{detail}</span>}
    </Alert>
  );
}
