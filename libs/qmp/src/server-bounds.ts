/**
 * Everything a server chooses and the gateway keeps, renders or logs, with the most of it that is taken and why. A VM, a
 * storage daemon or a guest can say anything of any length; what it says is held to this table exactly where it comes in.
 * What a client asked for is not in it: a `return` value reaches its caller byte for byte, up to the limit of a line.
 */
export interface ServerBound {
  readonly most: number;
  readonly unit: 'characters' | 'bytes' | 'entries';
  /**
   * What becomes of more. `cut`: the beginning is kept. `null`: it is not known then. `left out`: as if it had not been said.
   * `unknown`: the command that asked is told so. `no session`: a server of which nothing can be made.
   */
  readonly past: 'cut' | 'null' | 'left out' | 'unknown' | 'no session';
  readonly why: string;
}

export const serverBounds = {
  greeting: {
    ...{ most: 16 * 1024, unit: 'bytes', past: 'no session' },
    why: 'Every client of a shared monitor is greeted with it; real ones have some 150 bytes.',
  },
  package: {
    ...{ most: 256, unit: 'characters', past: 'cut' },
    why: 'In every row for `configure`, and part of what schemas are told apart by; distributions write some 40.',
  },
  version: {
    ...{ most: 64, unit: 'characters', past: 'cut' },
    why: 'In every row; StratoVirt tells it as text, and `2.4.0` is one.',
  },
  capability: {
    ...{ most: 64, unit: 'entries', past: 'left out' },
    why: 'Of a greeting; QEMU has had one in ten years.',
  },
  name: {
    ...{ most: 256, unit: 'characters', past: 'cut' },
    why: 'In every row and every `vm-changed`; people give some 40, and libvirt makes file names of it, which end at 255.',
  },
  uuid: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'In every row; it has 36, and the beginning of another text would be no uuid.',
  },
  runState: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'In every row; the longest of QAPI has 14, and clients compare the whole.',
  },
  eventName: {
    ...{ most: 128, unit: 'characters', past: 'left out' },
    why: 'Kept with every event, and in caches of filters; the longest of QEMU has 38, and half of one is another event.',
  },
  eventData: {
    ...{ most: 256 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Kept in the history and written once to each stream; real ones have up to some 2 KiB. Streams are told of a gap.',
  },
  eventTimestamp: {
    ...{ most: 256, unit: 'bytes', past: 'null' },
    why: 'Kept with every event; two numbers have some 50.',
  },
  earlyEvents: {
    ...{ most: 8 * 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Held until a session is negotiated; under the worst flood measured QEMU sent some 200 KiB there.',
  },
  errorClass: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'Kept with operations; a class of another name counts as `GenericError`. The longest of QEMU has 15.',
  },
  errorText: {
    ...{ most: 4096, unit: 'characters', past: 'cut' },
    why: 'Kept with operations and written to their log; StratoVirt names all its commands in some 2,500, QEMU writes less.',
  },
  errorMember: {
    ...{ most: 128 * 1024, unit: 'bytes', past: 'left out' },
    why: 'The `error` of an answer is parsed; that of a server that writes more is told by its size alone.',
  },
  unaskedLine: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'A line while no answer is awaited is an event or the answer to a former client: nobody needs a longer one, so it is dropped as it comes and takes no memory.',
  },
  ownAnswer: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'unknown' },
    why: 'Answers to what the gateway asks by itself are parsed, which takes some milliseconds for so much; real ones have up to some 50 KiB.',
  },
  objectList: {
    ...{ most: 2 * 1024 * 1024, unit: 'bytes', past: 'left out' },
    why: 'Lists of QOM objects, which `/qom` reads into a tree; those of QEMU have up to some 300 KiB. The object says that it could not be read.',
  },
  introspection: {
    ...{ most: 1024 * 1024, unit: 'bytes', past: 'no session' },
    why: 'Parsed and held as a model, which takes a tenth of a second for so much; that of QEMU 11 has 250 KiB. A part of it would be another server than there is.',
  },
  introspectionEntries: {
    ...{ most: 5000, unit: 'entries', past: 'no session' },
    why: 'Types, commands and events together; QEMU 11 has 1,230.',
  },
  commands: {
    ...{ most: 2000, unit: 'entries', past: 'no session' },
    why: 'Of a schema, or of a list of commands; QEMU 11 has 242.',
  },
  commandName: {
    ...{ most: 128, unit: 'characters', past: 'left out' },
    why: 'In documents, metrics and logs, and it must fit into a path; the longest of QEMU has 38.',
  },
  memberName: {
    ...{ most: 256, unit: 'characters', past: 'left out' },
    why: 'Of members, cases and values of a type, from which names are made; a type with longer ones takes any value. The longest of QEMU has 38.',
  },
  loggedNames: {
    ...{ most: 20, unit: 'entries', past: 'cut' },
    why: 'Commands in no catalog, in one line of the log.',
  },
  detail: {
    ...{ most: 500, unit: 'characters', past: 'cut' },
    why: 'Of faults (`lastError.detail`) and of odd bytes in the log: made of what the server said, and shown again and again.',
  },
  id: {
    ...{ most: 256, unit: 'characters', past: 'left out' },
    why: 'Of jobs that nobody started through the gateway: QEMU takes any text, tools use some 40. Such a job is not followed.',
  },
  word: {
    ...{ most: 64, unit: 'characters', past: 'null' },
    why: 'Kind and status of a job, a value of an enum in QAPI.',
  },
} as const satisfies Readonly<Record<string, ServerBound>>;

/**
 * The beginning of a text, in memory of its own: a slice would keep all of it.
 * @param most UTF-16 units; a pair is not cut in two
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? most - 1 : most;
  return Buffer.from(text.slice(0, end)).toString();
}

/** What a terminal or a log viewer would obey, or show in another order: control characters, line breaks, directions. */
const unprintable = /[\0-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text of a server's as it may be shown to people: what is no character to be seen is `U+FFFD`, and it has an end. */
export function shownText(text: string, most: number = serverBounds.detail.most): string {
  const cut = text.length <= most ? text : `${cutText(text, most - 1)}…`;
  return cut.replace(unprintable, '\ufffd');
}

/** The text, or undefined for a longer one. */
export function wholeText(text: string | undefined, { most }: ServerBound): string | undefined {
  return text === undefined || text.length > most ? undefined : text;
}

const eventName = /^(?:__[A-Za-z0-9.-]+_)?[A-Z][A-Za-z0-9_.-]*$/;

/**
 * Whether a name is like those of QAPI's events (qapi-code-gen, "Naming rules"): upper case, perhaps behind the prefix of a
 * downstream. The gateway's own begin in lower case.
 */
export function isEventName(name: string): boolean {
  return eventName.test(name);
}

const commandName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Whether a name can be one of a command or event of QAPI, and so a part of a path, a label and a key of a document. */
export function isDefinitionName(name: string): boolean {
  return name.length <= serverBounds.commandName.most && commandName.test(name);
}
