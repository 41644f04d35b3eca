import { Signal } from '../api/signal.js';

/** `system`: as the browser says. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'qmpgw.theme';
const darkClass = 'pf-v6-theme-dark';

/** Light or dark, kept in this browser for all who use it. */
class Theme {
  readonly changed = new Signal();
  readonly #system = matchMedia('(prefers-color-scheme: dark)');

  get choice(): ThemeChoice {
    const kept = localStorage.getItem(key);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  }

  get isDark(): boolean {
    return this.choice === 'dark' || (this.choice === 'system' && this.#system.matches);
  }

  choose(choice: ThemeChoice): void {
    if (choice === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
    this.#show();
  }

  /** Shows it, and follows the browser from then on. */
  apply(): void {
    this.#system.addEventListener('change', () => this.#show());
    this.#show();
  }

  #show(): void {
    document.documentElement.classList.toggle(darkClass, this.isDark);
    this.changed.tell();
  }
}

export const theme = new Theme();
