import type { Terminal } from '@xterm/xterm';
import { useEffect, useState, type RefObject } from 'react';
import { theme } from '../../app/theme.js';
import { withStyleSheets } from './with-style-sheets.js';

/** Lines that scrolled away; the gateway keeps 256 KiB of a line, which is fewer. */
const scrollback = 10_000;

/** A terminal in an element, as large as that. Its code is fetched with the first one. */
export function useTerminal(element: RefObject<HTMLElement | null>): Terminal | undefined {
  const [terminal, setTerminal] = useState<Terminal>();
  useEffect(() => {
    let end = (): void => undefined;
    let isWanted = true;
    void load().then(([{ Terminal: Made }, { FitAddon }]) => {
      if (!isWanted || element.current === null) return;
      const made = new Made({ scrollback, fontSize: 14, screenReaderMode: true, theme: coloursOf(theme.isDark) });
      const fit = new FitAddon();
      made.loadAddon(fit);
      const place = element.current;
      withStyleSheets(() => made.open(place));
      fit.fit();
      const observer = new ResizeObserver(() => fit.fit());
      observer.observe(place);
      const stop = theme.changed.subscribe(() => {
        made.options.theme = coloursOf(theme.isDark);
      });
      end = () => {
        observer.disconnect();
        stop();
        made.dispose();
      };
      setTerminal(made);
    });
    return () => {
      isWanted = false;
      end();
      setTerminal(undefined);
    };
  }, [element]);
  return terminal;
}

function load() {
  return Promise.all([import('@xterm/xterm'), import('@xterm/addon-fit'), import('@xterm/xterm/css/xterm.css')]);
}

/** A terminal is dark in a light page too, as guests expect it; only less black. */
function coloursOf(isDark: boolean) {
  return isDark
    ? { background: '#151515', foreground: '#e0e0e0', cursor: '#92c5f9' }
    : { background: '#1f1f1f', foreground: '#f2f2f2', cursor: '#92c5f9' };
}
