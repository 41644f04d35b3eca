import { Inject, type CanActivate } from '@nestjs/common';
import { ReplyBudget } from './reply-budget.js';

/** For resources that are answered by commands of VMs: past `limits.replyBytes` they begin none, as the command lane. */
export class ReplyRoom implements CanActivate {
  constructor(@Inject(ReplyBudget) private readonly replies: ReplyBudget) {}

  /** @throws Problem `too-many-requests` */
  canActivate(): true {
    const { refusal } = this.replies;
    if (refusal !== undefined) throw refusal;
    return true;
  }
}
