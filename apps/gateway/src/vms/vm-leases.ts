/** Which endpoints that several nodes name this node may dial now. */
export interface VmLeases {
  /** A number that grows from holder to holder; undefined while this node may not dial the endpoint. */
  held(endpoint: string): number | undefined;
}
