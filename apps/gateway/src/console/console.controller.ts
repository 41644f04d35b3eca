import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { publicAnswers, sendPublicDocument } from '../http/public-document.js';
import { text } from '../http/resource/field-type.js';
import { header, Resource, Tag } from '../http/resource/resource.js';
import { Problem } from '../problems/problem.js';
import { linkTo } from '../settings/links.js';
import { ConsoleFiles } from './console-files.js';

/** What the page may do: run the scripts served here and talk to this gateway. Pictures of screens and pointers are its own. */
const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** The name of a file has the hash of what is in it. */
const fileHeaders = { 'Cache-Control': 'public, max-age=31536000, immutable' };
const pageAnswers = publicAnswers({ what: 'A page', content: { 'text/html': text() } });

/** `/console`: VMs in a browser. The page is the same at every address below it; its scripts read the address. */
@Tag('service', 'The gateway itself')
@Controller()
export class ConsoleController {
  #files: ConsoleFiles | undefined;

  @Get()
  @Resource({
    id: 'getRoot',
    summary: 'The way to the console, for a browser',
    answers: {
      303: { what: 'To the console: `Accept` has `text/html`', headers: { Location: header('Of the console') } },
    },
    problems: ['route-not-found'],
  })
  root(@Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    if (request.headers.accept?.includes('text/html') !== true)
      throw new Problem('route-not-found', 'Nothing is here. The API begins at /v1, its description is at /docs.', {
        suggestions: ['/v1', '/docs', '/console'],
      });
    response.writeHead(303, { Location: linkTo('/console'), 'Cache-Control': 'no-cache', Vary: 'Accept' }).end();
  }

  @Get('console')
  @Resource({ id: 'getConsole', summary: 'The console', answers: pageAnswers, problems: ['route-not-found'] })
  async page(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const { page } = this.#all;
    if (page === undefined)
      throw new Problem(
        'route-not-found',
        'The console is not part of this build: npm run build makes it. All else works; /docs lists the commands of each VM.',
      );
    await sendPublicDocument(request, response, page, pageHeaders);
  }

  @Get('console/files/:file')
  @Resource({
    id: 'getConsoleFile',
    summary: 'A script, style sheet, font or picture of the console',
    path: { file: { type: text(), what: 'Name of the file' } },
    answers: publicAnswers({
      what: 'The file',
      content: { 'text/javascript': text(), 'text/css': text(), 'image/svg+xml': text(), 'font/woff2': text() },
    }),
    problems: ['route-not-found'],
  })
  async file(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Param('file') file: string,
  ): Promise<void> {
    const found = this.#all.file(file);
    if (found === undefined) throw new Problem('route-not-found', 'The console has no such file; load the page again.');
    await sendPublicDocument(request, response, found, fileHeaders);
  }

  @Get('console/*view')
  @Resource({
    id: 'getConsoleView',
    summary: 'A view of the console',
    path: { view: { type: text(), what: 'Which view: `vms/web-1/screen`' } },
    answers: pageAnswers,
    problems: ['route-not-found'],
  })
  view(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.page(request, response);
  }

  /** Read on first demand: many gateways are never looked at. */
  get #all(): ConsoleFiles {
    return (this.#files ??= new ConsoleFiles());
  }
}
