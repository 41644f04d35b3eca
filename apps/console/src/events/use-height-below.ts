import { useLayoutEffect, useState, type RefObject } from 'react';

/** Pixels below the list that the page keeps for its own edge. */
const edge = 56;
const leastHeight = 240;

/** How high an element can be to end where the window does; it is measured anew when what is above it changes. */
export function useHeightBelow(element: RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(leastHeight);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = element.current?.getBoundingClientRect().top ?? 0;
      setHeight(Math.max(leastHeight, Math.floor(window.innerHeight - Math.max(0, top) - edge)));
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  });
  return height;
}
