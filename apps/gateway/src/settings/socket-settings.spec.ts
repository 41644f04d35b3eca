import { describe, expect, it } from 'vitest';
import { shownFault } from './setting-type.js';
import { monitorSocketsType } from './socket-settings.js';

describe('monitorSockets', () => {
  it('needs a directory; mode and level have defaults', () => {
    expect(monitorSocketsType.read({ dir: '/run/qmp-gateway' }).value).toEqual({
      dir: '/run/qmp-gateway',
      mode: 0o600,
      level: 'operate',
    });
    expect(monitorSocketsType.read({ dir: '/run/m', mode: '0660', level: 'read' }).value).toEqual({
      dir: '/run/m',
      mode: 0o660,
      level: 'read',
    });
  });

  it.each([
    ['/run/m', ['must be an object with a dir']],
    [{}, ['dir: missing']],
    [{ dir: 5 }, ['dir: must be the path of a directory']],
    [{ dir: 'run/m' }, [expect.stringMatching(/^dir: .*not absolute/)]],
    [{ dir: '/run/m', mode: 600 }, [expect.stringMatching(/^mode: /)]],
    [{ dir: '/run/m', level: 'root' }, ['level: must be one of read, operate, configure, host']],
    [{ dir: '/run/m', levels: 'read' }, [expect.stringMatching(/^levels: unknown \(did you mean level/)]],
  ])('says what is wrong with %j', (value, faults) => {
    const reading = monitorSocketsType.read(value);
    expect(reading.faults.map(shownFault)).toEqual(faults);
  });
});
