import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { compressedFiles } from './compressed-files.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** For `npm run dev:console`: the gateway that everything else is asked of. */
const gateway = process.env['QMPGW_URL'] ?? 'http://127.0.0.1:8080';

/** The development server has the page where the gateway has it, and leads there from `/`. */
function atConsole(): Plugin {
  return {
    name: 'at-console',
    configureServer: ({ middlewares }) => {
      middlewares.use('/', (request, response, next) => {
        if (request.url === '/') response.writeHead(303, { Location: '/console' }).end();
        else next();
      });
    },
  };
}

export default defineConfig({
  root: here('.'),
  // Relative: the gateway puts its own prefix before them, where it has one.
  base: './',
  plugins: [react(), compressedFiles(), atConsole()],
  resolve: { alias: { '@qmp-gateway/client': here('../../libs/client/src/index.ts') } },
  build: {
    outDir: here('../gateway/assets/console'),
    emptyOutDir: true,
    assetsDir: 'files',
    // Nothing in the page itself: its policy allows neither inline scripts nor `data:` for anything but pictures.
    assetsInlineLimit: 0,
    target: 'es2023',
    // A hundred files of a few hundred bytes wait for each other in a browser that fetches six at a time.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } },
    },
    license: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1500,
  },
  server: {
    proxy: {
      '/v1': { target: gateway, ws: true, changeOrigin: true, headers: { Origin: gateway } },
      '/metrics': gateway,
    },
  },
});
