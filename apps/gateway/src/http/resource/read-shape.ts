import { isRecord } from '@qmp-gateway/qapi';
import { validateSync } from 'class-validator';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem, type Fault } from '../../problems/problem.js';
import { parametersOf } from '../query-parameters.js';
import { below, faultsOfEach, mostFaults, type ShapeClass, type ValueFault } from './field-type.js';
import {
  choiceFaults,
  fieldRule,
  fieldsOf,
  mostSuggested,
  namesOf,
  unknownMember,
  unknownMembers,
  type Field,
} from './shape.js';

type Place = NonNullable<Fault['in']>;
type PlacedFault = Fault & { readonly in: Place };

/** A part of a request as its class has it, and all that is wrong with it. */
interface Reading<T> {
  readonly value: T;
  readonly faults: readonly PlacedFault[];
}

/** Classes by which the parts of a request are read. */
export interface PartShapes {
  readonly query?: ShapeClass | undefined;
  readonly headers?: readonly ShapeClass[];
  readonly body?: ShapeClass | undefined;
}

/** A request before it is read. */
export interface UnreadRequest {
  readonly headers: IncomingHttpHeaders;
  readonly gateway: { readonly query: string };
  readonly body?: unknown;
}

/** What is said of a query parameter that means something in another place. */
type Elsewhere = (name: string) => string | undefined;

/**
 * Reads parts of a request, checked by what their classes declare.
 * @returns them by their classes
 * @throws Problem `invalid-request` with every fault of all parts; values are never shown, they may be secrets
 */
export function readParts(
  { query, headers = [], body }: PartShapes,
  request: UnreadRequest,
  elsewhere?: Elsewhere,
): ReadonlyMap<ShapeClass, object> {
  const readings = new Map<ShapeClass, Reading<object>>();
  if (query !== undefined) readings.set(query, queryReading(query, request.gateway.query, elsewhere));
  for (const shape of headers) readings.set(shape, headerReading(shape, request.headers));
  if (body !== undefined) readings.set(body, bodyReading(body, request.body));
  const faults = [...readings.values()].flatMap((reading) => reading.faults);
  if (faults.length > 0) throw invalidRequest(faults);
  return new Map([...readings].map(([shape, { value }]) => [shape, value]));
}

/**
 * Reads the body of a request, checked by what its class declares.
 * @throws Problem `invalid-request` with every fault; values are never shown, they may be secrets
 */
export function readBody<T extends object>(shape: ShapeClass<T>, body: unknown): T {
  return valueOf(bodyReading(shape, body));
}

/**
 * Reads the query of a request, checked by what its class declares.
 * @throws Problem `invalid-request` with every fault
 */
export function readQuery<T extends object>(shape: ShapeClass<T>, query: string, elsewhere?: Elsewhere): T {
  return valueOf(queryReading(shape, query, elsewhere));
}

/**
 * Reads headers of a request, checked by what their class declares; all others are left alone.
 * @throws Problem `invalid-request` with every fault
 */
export function readHeaders<T extends object>(shape: ShapeClass<T>, headers: IncomingHttpHeaders): T {
  return valueOf(headerReading(shape, headers));
}

function valueOf<T>({ value, faults }: Reading<T>): T {
  if (faults.length > 0) throw invalidRequest(faults);
  return value;
}

/** Done by hand where class-transformer would be asked: it drops a key named `constructor`. */
function bodyReading<T extends object>(shape: ShapeClass<T>, body: unknown): Reading<T> {
  const read = new shape();
  if (body === undefined)
    return { value: read, faults: [missingBody(`a JSON object; it takes ${namesOf(shape).join(', ')}`)] };
  if (!isRecord(body)) return { value: read, faults: [{ in: 'body', pointer: '', message: 'must be a JSON object' }] };
  const fields = fieldsOf(shape);
  const unknown = unknownMembers(
    Object.keys(body).filter((name) => !isField(fields, name)),
    namesOf(shape),
  );
  for (const { name } of fields) if (Object.hasOwn(body, name)) Object.assign(read, { [name]: body[name] });
  return readingOf('body', shape, read, unknown);
}

function queryReading<T extends object>(
  shape: ShapeClass<T>,
  query: string,
  elsewhere: Elsewhere = () => undefined,
): Reading<T> {
  const parameters = parametersOf(query);
  const fields = fieldsOf(shape);
  const unknown = [...new Set(parameters.keys())].filter((name) => !isField(fields, name));
  const faults = faultsOfEach(unknown, (name, at) => {
    const hint = elsewhere(name);
    if (hint !== undefined) return below(name, [{ pointer: '', message: hint }]);
    if (fields.length > 0) return unknownMember(name, namesOf(shape), { suggests: at < mostSuggested });
    return below(name.slice(0, 100), [{ pointer: '', message: 'unknown; this resource takes no parameters' }]);
  });
  const read = new shape();
  for (const field of fields) readText(read, field, parameters.getAll(field.name), faults);
  return readingOf('query', shape, read, faults);
}

function headerReading<T extends object>(shape: ShapeClass<T>, headers: IncomingHttpHeaders): Reading<T> {
  const faults: ValueFault[] = [];
  const read = new shape();
  for (const field of fieldsOf(shape)) {
    const value = headers[field.name.toLowerCase()];
    if (value !== undefined) readText(read, field, [Array.isArray(value) ? value.join(', ') : value], faults);
  }
  return readingOf('header', shape, read, faults);
}

/** Gives a member the value of its parameters, where they can be read. */
function readText(read: object, { name, type }: Field, texts: readonly string[], faults: ValueFault[]): void {
  const [first] = texts;
  if (first === undefined) return;
  if (texts.length > 1 && type.item === undefined) {
    faults.push(...below(name, [{ pointer: '', message: 'given more than once' }]));
    return;
  }
  const single = type.item ?? type;
  const values = texts.map((text) => single.parse?.(text) ?? text);
  Object.assign(read, { [name]: type.item === undefined ? values[0] : values });
}

function readingOf<T extends object>(
  place: Place,
  shape: ShapeClass<T>,
  read: T,
  found: readonly ValueFault[],
): Reading<T> {
  const fields = fieldsOf(shape);
  const faults = [...found];
  // Of most requests: nothing was given, and nothing had to be.
  const isAbsent = fields.every(({ name, required }) => !required && Reflect.get(read, name) === undefined);
  if (!isAbsent) faults.push(...memberFaults(fields, read, found));
  faults.push(...choiceFaults(shape, read));
  return { value: read, faults: faults.map((fault) => ({ in: place, ...fault })) };
}

/** What class-validator finds wrong with the members, but for those of which something is known already. */
function memberFaults(fields: readonly Field[], read: object, found: readonly ValueFault[]): ValueFault[] {
  const faults: ValueFault[] = [];
  const seen = new Set(found.map(({ pointer }) => pointer));
  const errors = new Map(
    validateSync(read, { validationError: { target: false, value: false } }).map((error) => [error.property, error]),
  );
  for (const field of fields) {
    const { constraints } = errors.get(field.name) ?? {};
    if (constraints === undefined) continue;
    const others = Object.entries(constraints).flatMap(([rule, message]) =>
      rule === fieldRule ? [] : [{ pointer: '', message: message.replace(`${field.name} `, '') }],
    );
    const wrong = [...fieldFaults(field, Reflect.get(read, field.name)), ...below(field.name, others)];
    faults.push(...wrong.filter(({ pointer }) => !seen.has(pointer)));
  }
  return faults;
}

function fieldFaults({ name, type }: Field, value: unknown): ValueFault[] {
  return below(name, value === undefined ? [{ pointer: '', message: 'missing' }] : type.faults(value));
}

/** Faults that are said in the sentence as well as in the list. */
const mostInWords = 10;

const placeInWords: Readonly<Record<Place, string>> = {
  body: 'The body does not fit',
  query: 'The query does not fit',
  header: 'A header does not fit',
  path: 'The path does not fit',
};

/** The one form of what is wrong with a request for a resource: 400, each fault with its place. */
export function invalid(place: Place, faults: readonly ValueFault[]): Problem {
  return invalidRequest(faults.map((fault) => ({ in: place, ...fault })));
}

/**
 * A body that is not there, where any JSON would be taken: said as of the others.
 * @param wanted what to send
 */
export function noJson(wanted: string): Problem {
  const errors = [missingBody(wanted)];
  return new Problem('malformed-json', inWords(errors), { errors });
}

function missingBody(wanted: string): PlacedFault {
  return { in: 'body', pointer: '', message: `is missing; send ${wanted}` };
}

function invalidRequest(faults: readonly PlacedFault[]): Problem {
  const [first] = faults;
  const more = { pointer: '', message: `has more faults than the ${mostFaults} listed here` };
  const errors =
    faults.length > mostFaults && first !== undefined
      ? [...faults.slice(0, mostFaults), { in: first.in, ...more }]
      : faults;
  return new Problem('invalid-request', inWords(errors), { errors });
}

/** A sentence for each place. */
function inWords(faults: readonly PlacedFault[]): string {
  const places = [...new Set(faults.map((fault) => fault.in))];
  const sentences = places.map((place) => {
    const here = faults.filter((fault) => fault.in === place);
    const list = here
      .slice(0, mostInWords)
      .map(
        ({ pointer, message, suggestions = [] }) =>
          `${pointer === '' ? 'it' : pointer} ${message}${meant(suggestions)}`,
      );
    const rest = here.length > mostInWords ? `; and ${here.length - mostInWords} more, see errors` : '';
    return `${placeInWords[place]}: ${list.join('; ')}${rest}.`;
  });
  return sentences.join(' ');
}

function meant(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : ` (did you mean ${suggestions.join(' or ')}?)`;
}

const isField = (fields: readonly Field[], wanted: string) => fields.some(({ name }) => name === wanted);
