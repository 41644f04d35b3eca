import { Global, Module } from '@nestjs/common';
import type { ClassSettings } from '@qmp-gateway/catalog';
import { systemClock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { RouteTable } from '../http/route-table.js';
import { LoggerToken } from '../settings/logger.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { StateDirectory } from '../state/state-directory.js';
import { AccessControl } from './access-control.js';
import { AccessLog } from './access-log.js';
import { AuditLog } from './audit/audit-log.js';
import { AuditController } from './audit/audit.controller.js';
import { CookieStore } from './credentials/cookie-store.js';
import { SessionController } from './credentials/session.controller.js';
import { SignInCodes } from './credentials/sign-in-codes.js';
import { SignInController } from './credentials/sign-in.controller.js';
import { CommandClassesToken, readCommandClasses } from './policy/command-classes.js';
import { Policy } from './policy/policy.js';
import { TokenAdministration } from './tokens/token-administration.js';
import { TokenStore } from './tokens/token-store.js';
import { TokensController } from './tokens/tokens.controller.js';

/** Who may do what, and who did. */
@Global()
@Module({
  controllers: [TokensController, SessionController, SignInController, AuditController],
  providers: [
    { provide: AccessLog, inject: [LoggerToken], useFactory: (log: Logger) => new AccessLog(log) },
    {
      provide: TokenStore,
      inject: [StateDirectory, AccessLog],
      useFactory: (state: StateDirectory, observer: AccessLog) => new TokenStore(state, systemClock, observer),
    },
    {
      provide: AuditLog,
      inject: [StateDirectory, SettingsToken, AccessLog],
      useFactory: ({ path }: StateDirectory, { audit }: Settings, observer: AccessLog) =>
        new AuditLog(path, audit, observer),
    },
    {
      provide: AccessControl,
      inject: [SettingsToken, TokenStore, RouteTable, AccessLog],
      useFactory: (settings: Settings, tokens: TokenStore, routes: RouteTable, observer: AccessLog) =>
        new AccessControl(settings, tokens, { routes, observer }),
    },
    { provide: CookieStore, inject: [AccessControl], useFactory: ({ cookies }: AccessControl) => cookies },
    { provide: SignInCodes, inject: [AccessControl], useFactory: ({ codes }: AccessControl) => codes },
    { provide: CommandClassesToken, inject: [SettingsToken], useFactory: readCommandClasses },
    {
      provide: Policy,
      inject: [SettingsToken, CommandClassesToken],
      useFactory: (settings: Settings, classes: ClassSettings) => new Policy(settings, classes),
    },
    {
      provide: TokenAdministration,
      inject: [TokenStore, AuditLog, SettingsToken],
      useFactory: (tokens: TokenStore, audit: AuditLog, settings: Settings) =>
        new TokenAdministration(tokens, audit, settings),
    },
  ],
  exports: [TokenStore, AuditLog, AccessControl, CommandClassesToken, Policy],
})
export class AccessModule {}
