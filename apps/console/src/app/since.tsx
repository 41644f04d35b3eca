import { useEffect, useState } from 'react';
import { ago, exactTime } from './times.js';

/** Seconds between two looks at the clock. */
const stepMs = 10_000;

/** How long ago, kept current; the exact moment on hover. */
export function Since({ at }: { readonly at: string }) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), stepMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={exactTime(at)}>
      {ago(at, now)}
    </time>
  );
}
