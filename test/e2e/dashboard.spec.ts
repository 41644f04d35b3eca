import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLines, type EventLines, type StreamedEvent } from './event-readers.js';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken } from './gateway-scene.js';
import { randomNumbers, seedOf } from './random-numbers.js';

const changes = 1000;
const scene = new GatewayScene();
let gateway: GatewayProcess;
const machines: FakeMachine[] = [];

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings, args: ['--log-level', 'warn'] });
  for (let i = 0; i < 4; i++) machines.push(await fakeMachine(scene));
});
afterAll(() => scene.end());

type Row = Record<string, unknown> & { readonly id: string };
interface List {
  readonly vms: Row[];
  readonly cursor: string;
}

const numberOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf('.') + 1));

/** What a list shows but `inFlight`, which no event tells of. */
function shown(rows: Iterable<Row>): Record<string, unknown> {
  return Object.fromEntries([...rows].map(({ inFlight: _, ...row }) => [row.id, row]));
}

/** A dashboard that lists once and then only replaces rows; it remembers each replacement, to be asked about any moment. */
class Dashboard {
  readonly #log: { n: number; id: string; row: Row | undefined }[] = [];
  #start: List = { vms: [], cursor: '' };
  #reached = 0;
  #fault: unknown;
  #wake: () => void = () => undefined;

  constructor(
    private readonly selection: string,
    private readonly token: string,
    private readonly lines: { current?: EventLines } = {},
  ) {}

  list = async (): Promise<List> =>
    (await (
      await gateway.fetch(`/v1/vms?${this.selection}`, { headers: { Authorization: `Bearer ${this.token}` } })
    ).json()) as List;

  async open(): Promise<void> {
    this.#start = await this.list();
    const query = `${this.selection}&bookmarks=true&after=${this.#start.cursor}`;
    this.lines.current = await openLines(
      {
        ...gateway,
        fetch: (path, init) => {
          const headers = new Headers(init?.headers);
          headers.set('Authorization', `Bearer ${this.token}`);
          return gateway.fetch(path, { ...init, headers });
        },
      },
      `/v1/events?${query}`,
      'application/x-ndjson',
    );
    void this.#follow(this.lines.current).catch((error: unknown) => {
      this.#fault = error;
      this.#wake();
    });
  }

  close(): void {
    this.lines.current?.close();
  }

  async #follow(lines: EventLines): Promise<void> {
    for (let line = await lines.line(); line !== null; line = await lines.line()) {
      const { cursor, event, data } = JSON.parse(line) as StreamedEvent;
      const n = numberOf(cursor);
      if (event === 'vm-changed') this.#log.push({ n, id: String(data['id']), row: data as Row });
      if (event === 'vm-removed') this.#log.push({ n, id: String(data['id']), row: undefined });
      if (event === 'gap') throw new Error('a gap');
      this.#reached = n;
      this.#wake();
    }
  }

  /** Waits for something after this position, so that all before it has come. */
  async passed(n: number): Promise<void> {
    while (this.#reached <= n) {
      if (this.#fault !== undefined) throw new Error('the stream failed', { cause: this.#fault });
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  rowsAt(n: number): Record<string, unknown> {
    const rows = new Map(this.#start.vms.map((row) => [row.id, row]));
    for (const { n: at, id, row } of this.#log) {
      if (at > n) break;
      if (row === undefined) rows.delete(id);
      else rows.set(id, row);
    }
    return shown(rows.values());
  }
}

/** One random change of the fleet, or of a VM behind the gateway's back. */
async function change(random: (bound: number) => number): Promise<void> {
  const machine = machines[random(machines.length)]!;
  const kind = random(10);
  if (kind < 2) machine.fake.emit(random(2) === 0 ? 'STOP' : 'RESUME');
  else if (kind < 3) for (const connection of machine.fake.connections) connection.socket.destroy();
  else {
    const resource = `/v1/vms/vm-${random(12)}`;
    // A monitor takes one client; of the VMs that share an endpoint the others are there without a session.
    const endpoint = random(3) === 0 ? `unix:/nowhere/${random(3)}` : machine.endpoint;
    const labels = random(4) === 0 ? {} : { tenant: 'abc'[random(3)]! };
    const body = JSON.stringify({ endpoint, labels });
    const headers = { 'Content-Type': 'application/json' };
    const init = kind < 5 ? { method: 'DELETE' } : { method: 'PUT', body, headers };
    const { status } = await gateway.fetch(resource, init);
    expect([200, 201, 204, 404]).toContain(status);
  }
}

it('list, then replace rows: always right, over a thousand random changes', async () => {
  const random = randomNumbers(seedOf('dashboard'));
  const { token = '' } = gateway;
  const tenant = makeToken(gateway, { name: 'tenant', level: 'read', vms: ['label:tenant=a'] });
  const dashboards = [
    new Dashboard('', token),
    new Dashboard('label=tenant%3Db', token),
    new Dashboard('vm=vm-1*', token),
    new Dashboard('', tenant),
  ];
  for (const dashboard of dashboards) scene.keep(dashboard, (one) => one.close());
  await Promise.all(dashboards.map((dashboard) => dashboard.open()));

  let compared = 0;
  let rows = 0;
  for (let done = 0; done < changes; done++) {
    await change(random);
    if (done % 25 !== 24) continue;
    const lists = await Promise.all(dashboards.map((dashboard) => dashboard.list()));
    // News for each of them, so that it is known when all before has come.
    for (const label of ['a', 'b']) {
      const body = JSON.stringify({ endpoint: 'unix:/nowhere/marker', labels: { tenant: label, at: String(done) } });
      const marked = await gateway.fetch(`/v1/vms/vm-1${label}`, {
        method: 'PUT',
        body,
        headers: { 'Content-Type': 'application/json' },
      });
      expect([200, 201]).toContain(marked.status);
    }
    for (const [index, { vms, cursor }] of lists.entries()) {
      await dashboards[index]!.passed(numberOf(cursor));
      expect({ index, done, rows: dashboards[index]!.rowsAt(numberOf(cursor)) }).toEqual({
        index,
        done,
        rows: shown(vms),
      });
      compared++;
      rows += vms.length;
    }
  }
  expect(compared).toBe((changes / 25) * dashboards.length);
  expect(rows).toBeGreaterThan(compared);
});
