/** How the gateway learns which commands a server has. */
export type Introspection =
  /**
   * It describes itself. Until release `exactFrom` it may describe commands that it then does not have, so its
   * `query-commands` is asked as well; null: in every release.
   */
  | { readonly by: 'query-qmp-schema'; readonly exactFrom: string | null }
  /** It lists the names of its commands; a catalog of the nearest release describes them. */
  | { readonly by: 'query-commands' }
  /** It lists what is enabled; a catalog that covers its release describes it. */
  | { readonly by: 'guest-info' };

/** What is decided by the kind of a server. Whatever differs between kinds and is not here is data, or its dialect's. */
export interface ServerKindRow {
  /** What people call it. */
  readonly title: string;
  /** What its catalogs call it. */
  readonly product: string;
  /** The kind whose data it shares: `commands-<family>.tsv`, and the rows of this kind in all other tables. */
  readonly family: string;
  /** Name of the dialect, in the QMP library, that its sessions speak. */
  readonly dialect: string;
  /** Whether it is a VM's own monitor or the agent in its guest: the segment that its commands have in a URL. */
  readonly path: 'qmp' | 'agent';
  readonly introspection: Introspection;
  /** Commands that tell its schema from those of other kinds: all of `has` are in it, none of `lacks`. */
  readonly mark: { readonly has: readonly string[]; readonly lacks: readonly string[] };
  /** Whether its catalogs are compiled from a QAPI schema or written by hand from its behaviour. */
  readonly catalogs: 'compiled' | 'written';
  /** What stands before its own release in the greeting's `package`; null where the greeting's `version` is its release. */
  readonly releaseAfter: string | null;
  /** What a name of a query begins with, for guessing what somebody meant. */
  readonly queryPrefixes: readonly string[];
  /** Commands that need an `arguments` member with nothing in it, or forbid one; others take both. */
  readonly emptyArguments: Readonly<Record<string, 'required' | 'forbidden'>>;
  /** Whether no `arguments` mean the same as empty ones for all other commands, those in no catalog included. */
  readonly omitsEmptyArguments: boolean;
  /** Commands whose string arguments it pastes into a comma-separated option text. */
  readonly pastesOptionsOf: readonly string[];
  /** Its events can fail to come, so its run state is polled in every state. */
  readonly losesEvents: boolean;
  /** A query that only a machine whose reset is its end answers with a list; null: no machine of this kind ends so. */
  readonly resetQuestion: string | null;
  /** What its operator should know who connects to it over tcp; null: nothing. */
  readonly tcpCaution: string | null;
}

const qemu = {
  title: 'QEMU',
  product: 'qemu',
  family: 'qemu',
  dialect: 'qemu',
  path: 'qmp',
  introspection: { by: 'query-qmp-schema', exactFrom: '6.0' },
  mark: { has: [], lacks: [] },
  catalogs: 'compiled',
  releaseAfter: null,
  queryPrefixes: ['query-', 'x-query-'],
  emptyArguments: {},
  // As QAPI has it.
  omitsEmptyArguments: true,
  pastesOptionsOf: [],
  losesEvents: false,
  resetQuestion: null,
  tcpCaution: null,
} as const satisfies ServerKindRow;

/**
 * The kinds of servers, a row each. A new kind is a row here, its dialect in the QMP library if no other speaks it, and
 * its data. Of kinds with the same dialect the first is what a server without any mark is taken for.
 */
const rows = {
  qemu,
  stratovirt: {
    ...qemu,
    title: 'StratoVirt',
    product: 'stratovirt',
    family: 'stratovirt',
    dialect: 'stratovirt',
    introspection: { by: 'query-commands' },
    catalogs: 'written',
    // It poses as QEMU 5.0.1.
    releaseAfter: 'StratoVirt-',
    emptyArguments: {
      'query-ohui-status': 'forbidden',
      'query-workloads': 'required',
      'detect-silent-audio': 'required',
    },
    // It depends on the command, and only a catalog knows.
    omitsEmptyArguments: false,
    pastesOptionsOf: ['device_add'],
    // A client that left while an event was queued ended them for good.
    losesEvents: true,
    // Its two machines differ in little that can be asked: only a microVM lists its processors here.
    resetQuestion: 'query-hotpluggable-cpus',
    tcpCaution:
      'StratoVirt over tcp: it can panic when the connection ends, and the guest with it; give it a unix socket',
  },
  // It runs QEMU's own block layer and monitor.
  'storage-daemon': {
    ...qemu,
    title: 'QEMU storage daemon',
    product: 'qemu-storage-daemon',
    introspection: { by: 'query-qmp-schema', exactFrom: null },
    // There is no machine whose status could be asked.
    mark: { has: ['blockdev-add'], lacks: ['query-status'] },
  },
  'guest-agent': {
    ...qemu,
    title: 'QEMU guest agent',
    product: 'qemu-ga',
    family: 'guest-agent',
    dialect: 'guest-agent',
    path: 'agent',
    introspection: { by: 'guest-info' },
    mark: { has: ['guest-ping'], lacks: [] },
    queryPrefixes: ['guest-', 'guest-get-'],
  },
} as const satisfies Record<string, ServerKindRow>;

type Rows = typeof rows;

export type ServerKind = keyof Rows;

/** The kinds that a VM's monitor can be of. */
export type MachineKind = { [Kind in ServerKind]: Rows[Kind]['path'] extends 'qmp' ? Kind : never }[ServerKind];

/** The dialects that the rows name; whoever dials checks them against those that there are. */
export type KindDialect = Rows[ServerKind]['dialect'];

export const serverKinds: Readonly<Record<ServerKind, ServerKindRow & { readonly dialect: KindDialect }>> = rows;

export const serverKindNames = Object.keys(rows) as readonly ServerKind[];

/** In the order of the rows. */
export const machineKinds = serverKindNames.filter((kind): kind is MachineKind => serverKinds[kind].path === 'qmp');

/** What the documents about servers in general show, and what a server is taken for that has not said what it is. */
export const referenceKind: ServerKind = 'qemu';

/** What answers in the guest of a VM. */
export const agentKind = 'guest-agent' satisfies ServerKind;

/** True for the name of a kind. */
export function isServerKind(text: string): text is ServerKind {
  return Object.hasOwn(rows, text);
}

/** Kinds that speak a dialect at a VM's monitor; the first is what a server without any mark is taken for. */
export function kindsSpeaking(dialect: string): readonly MachineKind[] {
  return machineKinds.filter((kind) => serverKinds[kind].dialect === dialect);
}

/**
 * The kind of a server at a VM's monitor. It answers QMP as its dialect says, so what its schema lacks is mark enough.
 *
 * @param wanted what its definition says
 * @param has whether its schema has a command of this name
 * @returns undefined when no kind speaks this dialect
 */
export function machineKindOf(
  dialect: string,
  wanted: MachineKind | 'auto',
  has: (command: string) => boolean,
): MachineKind | undefined {
  const speaking = kindsSpeaking(dialect);
  const marked = speaking.find((kind) => {
    const { lacks } = serverKinds[kind].mark;
    return lacks.length > 0 && !lacks.some(has);
  });
  return marked ?? speaking.find((kind) => kind === wanted) ?? speaking[0];
}

/** The kind of server that a schema describes, by the commands in it. */
export function kindOfSchema(commands: { has(command: string): boolean }): ServerKind {
  const marked = serverKindNames.find((kind) => {
    const { has, lacks } = serverKinds[kind].mark;
    return has.length > 0 && has.every((name) => commands.has(name)) && !lacks.some((name) => commands.has(name));
  });
  return marked ?? referenceKind;
}
