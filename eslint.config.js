import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

/** Which of our packages each package may import. Everything else is an error; test/structure checks the manifests too. */
const allowedImports = {
  qmp: [],
  'fleet-protocol': [],
  'unix-fds': [],
  qapi: [],
  'qapi-openapi': ['qapi'],
  catalog: ['qapi'],
  client: [],
  'test-kit': ['qmp', 'unix-fds'],
  console: ['client'],
  'qapi-compiler': ['qapi', 'qapi-openapi', 'catalog'],
  cli: ['client'],
  gateway: ['qmp', 'unix-fds', 'qapi', 'qapi-openapi', 'catalog', 'fleet-protocol', 'cli'],
};
const packages = Object.keys(allowedImports);

/**
 * The rooms of the gateway from top to bottom: each may import those below it. Every other folder is a resource, which
 * stands where the list says `*`: no resource imports another.
 */
const rooms = [
  ...['entrance', 'sockets', '*', 'fleet', 'upgrades', 'vnc', 'commands', 'operations', 'events', 'vms', 'schemas'],
  ...['access', 'http', 'problems', 'state', 'settings', 'bounds'],
];
const roomType = (room) => (room === '*' ? 'resource' : `room-${room}`);
const roomElements = [
  ...rooms
    .filter((room) => room !== '*')
    .map((room) => ({ type: roomType(room), pattern: `apps/gateway/src/${room}` })),
  { type: 'resource', pattern: 'apps/gateway/src/*', capture: ['resource'] },
  { type: 'composition', pattern: 'apps/gateway/src' },
];
const gatewayElement = { type: [...rooms.map(roomType), 'composition'] };
/** What a room may import besides packages: itself and what is below. */
const roomPolicies = rooms.map((room, at) => ({
  from: { element: { type: roomType(room) } },
  allow: [
    { to: { element: { type: rooms.slice(at + 1).map(roomType) } } },
    room === '*'
      ? { to: { element: { type: 'resource', captured: { resource: '{{ from.element.captured.resource }}' } } } }
      : { to: { element: { type: roomType(room) } } },
  ],
}));
const packageElements = packages
  .filter((type) => type !== 'gateway')
  .map((type) => ({
    type,
    pattern: `${['qapi-compiler', 'cli', 'console'].includes(type) ? 'apps' : 'libs'}/${type}`,
  }));
const sources = ['libs/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}'];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      'apps/gateway/assets/console/**',
      'libs/client/src/generated/**',
      '**/*.js',
      '!eslint.config.js',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['tsconfig.lint.json'], tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-console': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // NestJS declares its option objects as classes and takes literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: sources,
    plugins: { boundaries },
    settings: {
      'boundaries/elements': [...roomElements, ...packageElements],
      // Specifiers end in .js; the files they mean end in .ts.
      'import/resolver': { typescript: { project: 'tsconfig.lint.json' } },
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            ...packages
              .filter((type) => type !== 'gateway')
              .map((type) => ({
                from: { element: { type } },
                allow: { to: { element: { type: [type, ...allowedImports[type]] } } },
              })),
            { from: { element: gatewayElement }, allow: { to: { element: { type: allowedImports.gateway } } } },
            { from: { element: { type: 'composition' } }, allow: { to: { element: gatewayElement } } },
            ...roomPolicies,
            // Specs may use the test kit; it is a development dependency of the workspace alone.
            {
              from: { element: { type: [...packages, ...gatewayElement.type] } },
              allow: { to: { element: { type: ['test-kit'] } } },
            },
          ],
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['@nestjs/*', '**/dist/**'], message: 'Only apps/gateway knows NestJS; nobody imports dist.' },
          ],
        },
      ],
    },
  },
  {
    files: ['apps/gateway/src/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['**/dist/**'] }] },
  },
  // Libraries for browsers have style sheets and single icons there.
  {
    files: ['apps/console/src/**/*.{ts,tsx}'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['@nestjs/*'] }] },
  },
  // What a reader can hold in mind. A file of cases may be long, as it is read case by case; its callbacks are no functions
  // that somebody calls.
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', { max: 60, skipComments: true }],
      '@typescript-eslint/max-params': ['error', { max: 4 }],
    },
  },
  {
    files: ['**/*.spec.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/max-params': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/*.scene.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
