import { useEffect, useState, useSyncExternalStore } from 'react';

/** Whether somebody can see an element: its page is in front, and it is in the window or near it. */
export function useIsLookedAt(element: Element | null): boolean {
  const isPageVisible = useSyncExternalStore(subscribeVisibility, () => document.visibilityState === 'visible');
  const [isInWindow, setInWindow] = useState(false);
  useEffect(() => {
    if (element === null) return;
    const observer = new IntersectionObserver((entries) => setInWindow(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: '200px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return isPageVisible && isInWindow;
}

function subscribeVisibility(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
}
