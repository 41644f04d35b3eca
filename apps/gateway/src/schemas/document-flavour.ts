import { generatorDocument, type VmDocument } from '@qmp-gateway/qapi-openapi';
import { choice } from '../http/resource/field-type.js';
import { Optional } from '../http/resource/shape.js';

/** For whom a document is: for people and tools that know OpenAPI 3.1, or for generators of typed clients. */
export type DocumentFlavour = 'full' | 'generators';

/** Query of the OpenAPI documents. */
export class FlavourQuery {
  @Optional(
    choice(['full', 'generators'], { default: 'full' }),
    '`generators`: the same in the form from which most generators make working clients: OpenAPI 3.0, one form of each control, one type of answer',
  )
  flavour: DocumentFlavour = 'full';
}

export function flavoured<D extends VmDocument>(document: D, flavour: DocumentFlavour): D {
  return flavour === 'generators' ? generatorDocument(document) : document;
}
