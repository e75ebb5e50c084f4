/** What things cost, in euros: defaults of the variables on the cost dashboard, where they can be changed at once. */
export const prices = {
  /** A GiB of telemetry taken in and kept. */
  gib: 0.5,
  /** A thousand series kept for a month. */
  thousandSeries: 6,
  /** A processor for an hour. */
  processorHour: 0.035,
  /** A GiB of memory for an hour. */
  memoryGibHour: 0.0045,
} as const;
