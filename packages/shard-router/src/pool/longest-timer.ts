/** The longest time that a timer of Node can wait, nearly 25 days; what is longer fires at once. */
export const longestTimerMs = 0x7fffffff
