/** What a region's state means. */

/** Whether a region was to be read and could not be; disabled and governed ones are left out on purpose. */
export function isFailure(state: string): boolean {
  return !["complete", "disabled", "governed"].includes(state);
}
