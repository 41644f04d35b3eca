import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

/** Which of our packages each package may import. Everything else is an error; test/structure checks the manifests too. */
const allowedImports = {
  qmp: [],
  qapi: [],
  'qapi-openapi': ['qapi'],
  catalog: ['qapi'],
  client: [],
  'test-kit': ['qmp'],
  'qapi-compiler': ['qapi', 'qapi-openapi', 'catalog'],
  gateway: ['qmp', 'qapi', 'qapi-openapi', 'catalog'],
};
const packages = Object.keys(allowedImports);
const sources = ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'];

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', 'libs/client/src/generated/**', '**/*.js', '!eslint.config.js'],
  },
  {
    files: ['**/*.ts'],
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
      'boundaries/elements': packages.map((type) => ({
        type,
        pattern: `${type === 'gateway' || type === 'qapi-compiler' ? 'apps' : 'libs'}/${type}`,
      })),
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            ...packages.map((type) => ({
              from: { element: { type } },
              allow: { to: { element: { type: [type, ...allowedImports[type]] } } },
            })),
            // Specs may use the test kit; it is a development dependency of the workspace alone.
            { from: { element: { type: packages } }, allow: { to: { element: { type: ['test-kit'] } } } },
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
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
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
