import { Signal } from '../api/signal.js';

/** What became of something the reader did. */
export interface OutcomeNews {
  readonly id: number;
  /** `pending`: it is not known yet, and the notice changes when it is. */
  readonly kind: 'pending' | 'done' | 'refused' | 'not-sent' | 'unknown';
  /** One line: what was done to what. */
  readonly title: string;
  /** What became of it, in words. */
  readonly detail?: string | undefined;
  /** Page with more: path within the console. */
  readonly link?: { readonly text: string; readonly to: string } | undefined;
  readonly at: Date;
}

/** Notices that are kept; past it the oldest goes. */
const mostNews = 50;

/** Notices of what became of commands, the newest last. */
export class OutcomeList {
  readonly changed = new Signal();
  all: readonly OutcomeNews[] = [];
  #next = 1;

  /** @returns its id, for `change` */
  add(news: Omit<OutcomeNews, 'id' | 'at'>): number {
    const id = this.#next++;
    this.all = [...this.all, { ...news, id, at: new Date() }].slice(-mostNews);
    this.changed.tell();
    return id;
  }

  /** What is known by now of one that was added. One that was put away comes back: the news are new. */
  change(id: number, news: Omit<OutcomeNews, 'id' | 'at'>): void {
    const others = this.all.filter((each) => each.id !== id);
    this.all = [...others, { ...news, id, at: new Date() }].slice(-mostNews);
    this.changed.tell();
  }

  remove(id: number): void {
    this.all = this.all.filter((each) => each.id !== id);
    this.changed.tell();
  }

  clear(): void {
    this.all = [];
    this.changed.tell();
  }
}
