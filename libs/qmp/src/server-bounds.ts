/**
 * The bounds of everything that a server chooses and the gateway keeps, renders or logs. A VM, a storage daemon or a guest
 * can send anything of any length; each bound is enforced where the value comes in. Replies to clients are not in the
 * table: a `return` value reaches its caller byte for byte, up to the limit of a line.
 */
export interface ServerBound {
  readonly most: number;
  readonly unit: 'characters' | 'bytes' | 'entries';
  /**
   * What happens beyond the bound. `cut`: the beginning is kept. `null`: the value counts as not known. `left out`: the
   * value is ignored. `unknown`: the outcome of the command that asked is unknown. `no session`: the server is not usable.
   */
  readonly past: 'cut' | 'null' | 'left out' | 'unknown' | 'no session';
  readonly why: string;
}

export const serverBounds = {
  greeting: {
    ...{ most: 16 * 1024, unit: 'bytes', past: 'no session' },
    why: 'Every client of a shared monitor gets it; real ones have some 150 bytes.',
  },
  package: {
    ...{ most: 256, unit: 'characters', past: 'cut' },
    why: 'In every row for `configure`, and part of the key of schemas; distributions write some 40.',
  },
  version: {
    ...{ most: 64, unit: 'characters', past: 'cut' },
    why: 'In every row; StratoVirt sends it as text, such as `2.4.0`.',
  },
  capability: {
    ...{ most: 64, unit: 'entries', past: 'left out' },
    why: 'In a greeting; QEMU has added one in ten years.',
  },
  name: {
    ...{ most: 256, unit: 'characters', past: 'cut' },
    why: 'In every row and every `vm-changed`; people use some 40, and libvirt makes file names of it, which have at most 255.',
  },
  uuid: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'In every row; a uuid has 36, and a cut text would not be one.',
  },
  runState: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'In every row; the longest of QAPI has 14, and clients compare the whole text.',
  },
  eventName: {
    ...{ most: 128, unit: 'characters', past: 'left out' },
    why: 'Kept with every event, and in caches of filters; the longest of QEMU has 38, and a cut name would be another event.',
  },
  eventData: {
    ...{ most: 256 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Kept in the history and written once to each stream; real ones have up to some 2 KiB. Streams get a gap.',
  },
  eventTimestamp: {
    ...{ most: 256, unit: 'bytes', past: 'null' },
    why: 'Kept with every event; its two numbers take some 50.',
  },
  earlyEvents: {
    ...{ most: 8 * 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Kept until a session is negotiated; in the worst flood measured QEMU sent some 200 KiB before that.',
  },
  errorClass: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'Kept with operations; a longer class counts as `GenericError`. The longest of QEMU has 15.',
  },
  errorText: {
    ...{ most: 4096, unit: 'characters', past: 'cut' },
    why: 'Kept with operations and written to their log; StratoVirt lists all its commands in some 2,500, QEMU writes less.',
  },
  errorMember: {
    ...{ most: 128 * 1024, unit: 'bytes', past: 'left out' },
    why: 'The gateway parses the `error` of a reply; of a larger one it reports only the size.',
  },
  unaskedLine: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'A line while no reply is due is an event or the reply to a former client. Nobody needs a longer one, so it is dropped as it arrives and takes no memory.',
  },
  ownAnswer: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'unknown' },
    why: 'The gateway parses replies to its own queries, which takes some milliseconds at this size; real ones have up to some 50 KiB.',
  },
  objectList: {
    ...{ most: 2 * 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Lists of QOM objects, which `/qom` parses into a tree; those of QEMU have up to some 300 KiB. The object reports that it could not be read.',
  },
  introspection: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'no session' },
    why: 'Parsed and kept as a model, which takes a tenth of a second at this size; that of QEMU 11 has 250 KiB. A part of it would describe another server.',
  },
  introspectionEntries: {
    ...{ most: 5000, unit: 'entries', past: 'no session' },
    why: 'Types, commands and events together; QEMU 11 has 1,230.',
  },
  commands: {
    ...{ most: 2000, unit: 'entries', past: 'no session' },
    why: 'In a schema, or in a list of commands; QEMU 11 has 242.',
  },
  commandName: {
    ...{ most: 128, unit: 'characters', past: 'left out' },
    why: 'In documents, metrics and logs, and part of a path; the longest of QEMU has 38.',
  },
  memberName: {
    ...{ most: 256, unit: 'characters', past: 'left out' },
    why: 'Of members, cases and values of a type, which names are derived from; a type with longer ones accepts any value. The longest of QEMU has 38.',
  },
  loggedNames: {
    ...{ most: 20, unit: 'entries', past: 'cut' },
    why: 'Commands in no catalog, in one line of the log.',
  },
  detail: {
    ...{ most: 500, unit: 'characters', past: 'cut' },
    why: 'Of `lastError.detail` and of odd bytes in the log: contains text of the server, and is shown repeatedly.',
  },
  id: {
    ...{ most: 256, unit: 'characters', past: 'left out' },
    why: 'Of jobs that nobody started through the gateway: QEMU accepts any text, tools use some 40. The gateway does not follow a job with a longer one.',
  },
  displays: {
    ...{ most: 32, unit: 'entries', past: 'left out' },
    why: 'VNC displays, and the addresses of one; a VM has one of each, rarely two.',
  },
  serials: {
    ...{ most: 32, unit: 'entries', past: 'left out' },
    why: 'Serial lines, of which each keeps what it said; a VM has one or two.',
  },
  word: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'Kind and status of a job, a value of an enum in QAPI.',
  },
} as const satisfies Readonly<Record<string, ServerBound>>;

/**
 * The beginning of a text, in memory of its own: a slice would keep the whole text alive.
 * @param most UTF-16 units; a surrogate pair is not split
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? most - 1 : most;
  return Buffer.from(text.slice(0, end)).toString();
}

/** Characters that a terminal or a log viewer would interpret: control characters, line breaks, directions. */
const unprintable = /[\0-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A server's text as it may be shown to people: cut, and with `U+FFFD` in place of unprintable characters. */
export function shownText(text: string, most: number = serverBounds.detail.most): string {
  const cut = text.length <= most ? text : `${cutText(text, most - 1)}…`;
  return cut.replace(unprintable, '\ufffd');
}

/** The text, or undefined if it is longer than the bound. */
export function wholeText(text: string | undefined, { most }: ServerBound): string | undefined {
  return text === undefined || text.length > most ? undefined : text;
}

const eventName = /^(?:__[A-Za-z0-9.-]+_)?[A-Z][A-Za-z0-9_.-]*$/;

/**
 * Whether a name follows the rules for QAPI events (qapi-code-gen, "Naming rules"): upper case, optionally after a
 * downstream prefix. The gateway's own events begin in lower case.
 */
export function isEventName(name: string): boolean {
  return eventName.test(name);
}

const commandName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Whether a name can be that of a QAPI command or event, and thus part of a path, a label and a key in a document. */
export function isDefinitionName(name: string): boolean {
  return name.length <= serverBounds.commandName.most && commandName.test(name);
}
