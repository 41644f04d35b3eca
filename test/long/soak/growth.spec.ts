import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../e2e/random-numbers.js';
import { excessive, growthOf, type Sample } from './growth.js';
import { slope, type Reading } from './trend.js';

const mebibyte = 2 ** 20;

describe('a trend', () => {
  const noisy = (perMinute: number, outlier = 0): Reading[] =>
    Array.from({ length: 20 }, (_, at) => ({
      minute: at / 6,
      value: 100 + (perMinute * at) / 6 + (at % 3) * 0.1 + (at === 18 ? outlier : 0),
    }));

  it.each([0, 0.5, 2, -1])('is found in noise: %d a minute', (perMinute) => {
    expect(slope(noisy(perMinute))).toBeCloseTo(perMinute, 1);
  });

  it('is not made by one reading that stands out', () => {
    expect(slope(noisy(0, 50))).toBeCloseTo(0, 1);
  });
});

describe('three minutes of a process', () => {
  /** What a healthy process shows every 10 s, and what is wrong with this one. */
  function samples(wrong: (minute: number, at: number) => Partial<Sample> = () => ({})): Sample[] {
    const random = randomNumbers(1);
    return Array.from({ length: 18 }, (_, at) => {
      const minute = 2 + at / 6;
      const wave = random(1000) / 1000;
      const healthy: Sample = {
        ...{ minute, turns: at * 2000, cpuMs: at * 5000 + wave * 500, latencyMs: 3 + 20 * wave },
        ...{ heapBytes: (64 + wave) * mebibyte, residentBytes: (140 + 3 * wave) * mebibyte },
        ...{ handles: 18 + Math.round(4 * wave), openFiles: 41 + Math.round(2 * wave) },
      };
      const more = Object.entries(wrong(minute, at)).map(([name, value]) => [
        name,
        healthy[name as keyof Sample] + value,
      ]);
      return { ...healthy, ...(Object.fromEntries(more) as Partial<Sample>) };
    });
  }

  it('that is healthy have no excess', () => {
    expect(excessive(growthOf(samples()))).toEqual([]);
  });

  it.each<[string, (minute: number, at: number) => Partial<Sample>]>([
    ['heapMiBPerMinute', (minute) => ({ heapBytes: 1.5 * mebibyte * minute })],
    ['residentMiBPerMinute', (minute) => ({ residentBytes: 2.5 * mebibyte * minute })],
    ['handles', (minute) => ({ handles: 6 * minute })],
    ['openFiles', (minute) => ({ openFiles: 4 * minute })],
    ['latencyMs', (minute) => ({ latencyMs: 80 * minute })],
    ['cpuRatio', (_, at) => ({ cpuMs: 600 * at * at })],
  ])('with a leak have it in %s', (name, wrong) => {
    expect(excessive(growthOf(samples(wrong)))).toEqual([name]);
  });

  it('of which one moment stands out have no excess', () => {
    const moment = {
      heapBytes: 30 * mebibyte,
      residentBytes: 90 * mebibyte,
      handles: 50,
      openFiles: 50,
      latencyMs: 900,
    };
    expect(excessive(growthOf(samples((_, at) => (at === 15 ? moment : {}))))).toEqual([]);
  });

  it('of which nothing is known are in excess', () => {
    expect(excessive(growthOf([]))).toHaveLength(6);
  });
});
