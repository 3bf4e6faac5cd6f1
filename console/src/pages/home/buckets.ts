export const needsBuckets: Record<string, string> = {
  "<3d": "under 3 days",
  "3-14d": "3 to 14 days",
  "14-30d": "14 to 30 days",
  ">30d": "over 30 days",
};
