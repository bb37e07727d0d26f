/** The meaning of a region's state. */

/** Whether reading a region failed. Disabled and governed regions are not read on purpose. */
export function isFailure(state: string): boolean {
  return !["complete", "disabled", "governed"].includes(state);
}
