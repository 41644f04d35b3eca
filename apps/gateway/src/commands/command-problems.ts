import { commandProblems } from '@qmp-gateway/qapi-openapi';
import type { ProblemCode } from '../problems/catalogue.js';
import { problemRows } from '../schemas/schema-documents.js';

/** Every problem that running a command can end in; which methods it takes is the affair of its own endpoint. */
export const problemsOfCommands = commandProblems(problemRows)
  .map(({ code }) => code as ProblemCode)
  .filter((code) => code !== 'method-not-allowed');
