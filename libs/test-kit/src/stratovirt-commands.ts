/** The commands of StratoVirt 2.5, in the order in which it lists them. */
export const stratovirtCommands: readonly string[] = [
  ...['qmp_capabilities', 'quit', 'stop', 'cont', 'system_powerdown', 'system_reset', 'device_add', 'device_del'],
  ...['chardev-add', 'chardev-remove', 'netdev_add', 'netdev_del', 'netdev_replace', 'netlink_set', 'cameradev_add'],
  ...[
    'cameradev_del',
    'query-hotpluggable-cpus',
    'query-cpus',
    'query-status',
    'getfd',
    'blockdev-add',
    'blockdev-del',
  ],
  ...['balloon', 'set-viomem', 'get-viomem', 'query-mem', 'query-mem-gpa', 'query-balloon', 'query-vnc'],
  ...['query-display-image', 'switch-audio-record', 'migrate', 'query-migrate', 'migrate_cancel', 'query-version'],
  ...['query-commands', 'query-target', 'query-kvm', 'query-machines', 'query-events', 'qom-list-types'],
  ...['device-list-properties', 'block-commit', 'query-tpm-models', 'query-tpm-types', 'query-command-line-options'],
  ...[
    'query-migrate-capabilities',
    'query-qmp-schema',
    'query-sev-capabilities',
    'query-chardev',
    'qom-list',
    'qom-get',
  ],
  ...['query-block', 'query-named-block-nodes', 'query-blockstats', 'query-block-jobs', 'query-gic-capabilities'],
  ...['query-iothreads', 'update_region', 'input_event', 'human-monitor-command', 'blockdev-snapshot-internal-sync'],
  ...['blockdev-snapshot-delete-internal-sync', 'query-vcpu-reg', 'trace-get-state', 'trace-set-state'],
  ...['query-ohui-status', 'query-workloads', 'detect-silent-audio'],
];

/** The commands that require `arguments`, even if only `{}`. */
export const commandsWithArguments: ReadonlySet<string> = new Set([
  ...['device_add', 'device_del', 'chardev-add', 'chardev-remove', 'netdev_add', 'netdev_del', 'netdev_replace'],
  ...['netlink_set', 'cameradev_add', 'cameradev_del', 'getfd', 'blockdev-add', 'blockdev-del', 'set-viomem'],
  ...['get-viomem', 'switch-audio-record', 'migrate', 'human-monitor-command', 'blockdev-snapshot-internal-sync'],
  ...['blockdev-snapshot-delete-internal-sync', 'query-vcpu-reg', 'trace-get-state', 'trace-set-state'],
  ...['query-workloads', 'detect-silent-audio'],
]);
