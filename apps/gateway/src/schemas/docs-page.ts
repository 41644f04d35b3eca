import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import swaggerUi from 'swagger-ui-express';
import { publicDocument, sendPublicDocument, type PublicDocument } from './public-document.js';

type Next = () => void;

/**
 * What the page may do: run the scripts served here and talk to this gateway. Swagger UI shows pictures of its style
 * sheet as `data:` and those in answers as `blob:`.
 */
const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** The only files of Swagger UI the page needs; its own start page and initializer let the address choose the document. */
const swaggerFiles = new Set(['/swagger-ui.css', '/swagger-ui-bundle.js', '/favicon-32x32.png']);

/**
 * Puts the page `/docs` on Express: Swagger UI with a page and a script of ours in place of its template.
 * Of other paths below `/docs` it knows nothing and passes them on.
 */
export function mountDocs(express: { use(path: string, ...handlers: unknown[]): void }): void {
  const page = asset('docs.html', 'text/html');
  const files = new Map([
    ['/', page],
    ['/docs.js', asset('docs.js', 'text/javascript')],
    ['/docs.css', asset('docs.css', 'text/css')],
  ]);
  const serveOwn = (request: IncomingMessage, response: ServerResponse, next: Next) => {
    const file = isRead(request) ? files.get(pathOf(request)) : undefined;
    if (file === undefined) next();
    else sendPublicDocument(request, response, file, pageHeaders);
  };
  const setHeaders = (response: ServerResponse) => response.setHeader('X-Content-Type-Options', 'nosniff');
  const serveSwagger = swaggerUi
    .serveWithOptions({ index: false, redirect: false, setHeaders })
    .map((handler) => (request: IncomingMessage, response: ServerResponse, next: Next) => {
      if (isRead(request) && swaggerFiles.has(pathOf(request)))
        Reflect.apply(handler, undefined, [request, response, next]);
      else next();
    });
  express.use('/docs', serveOwn, ...serveSwagger);
}

function asset(name: string, type: string): PublicDocument {
  return publicDocument(readFileSync(new URL(`../../assets/${name}`, import.meta.url)), `${type}; charset=utf-8`);
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The path below `/docs`: Express takes the mount point off, and leaves the query on. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}
