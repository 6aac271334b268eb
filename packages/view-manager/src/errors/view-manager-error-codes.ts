/** Every code that @shardwright/view-manager throws or reports: what it means and what to do. */
export const viewManagerErrorCodes = {
  VIEW_INVALID: {
    meaning: 'A view, a rollup, a column kept in step, or an option of the manager is not usable.',
    remedy: 'Correct the field that the message names.',
  },
  VIEW_CYCLE: {
    meaning: 'Views read one another in a circle, so none of them can be first.',
    remedy: 'Let one of them read the tables instead.',
  },
  VIEW_PLACEMENT: {
    meaning: 'The schema places the view so that its rows on all shards would not be the view of one PostgreSQL.',
    remedy: 'Place it as sharded in the family of its tables, group by the shard key, and name the key in uniqueOn.',
  },
  TRIGGER_ON_CITUS: {
    meaning: 'Rollups and columns in step need row triggers, which tables that Citus manages do not have.',
    remedy:
      'Use a materialized view, or an INSERT ... SELECT by a schedule of your own, which Citus runs on its nodes.',
  },
  VIEW_NAME_TAKEN: {
    meaning: 'A relation of the name exists on a shard and is not a materialized view.',
    remedy: 'Rename one of the two.',
  },
  VIEW_REFERENCED: {
    meaning: 'The view cannot be replaced, because something that the manager does not know reads it.',
    remedy: 'Define the reader as a view of the manager (without a schema in its names), or drop it first.',
  },
  VIEW_BUSY: {
    meaning: 'Another process installs or refreshes the view on this shard, or readers kept the swap from its lock.',
    remedy: 'Try again later; the old view stays as it was.',
  },
  VIEW_NOT_INSTALLED: {
    meaning: 'The view, or the rollup, does not exist on a shard.',
    remedy: 'Run install() after the migrations.',
  },
  VIEW_UNIQUE_INDEX_UNUSABLE: {
    meaning: 'The view has no valid unique index over plain columns, which REFRESH ... CONCURRENTLY needs.',
    remedy: 'Run install(), which builds the index again.',
  },
  VIEW_NOT_UNIQUE: {
    meaning: 'The query gives two rows with the same values of uniqueOn.',
    remedy: 'Correct the query or uniqueOn; the old data stays.',
  },
  VIEW_REFRESH_FAILED: {
    meaning: 'PostgreSQL refused a statement, or the budget of the refresh ran out.',
    remedy: 'Read the message and its SQLSTATE; the old data stays. 57014 is the budget: raise budgetMs.',
  },
  VIEW_PARENT_FAILED: {
    meaning: 'A view was not refreshed because one that it reads could not be.',
    remedy: 'Look at the failure of the view that it reads.',
  },
  STEP_NOT_COLOCATED: {
    meaning: 'The two columns live on different shards, where no trigger reaches from one to the other.',
    remedy: 'Make the source a reference table, shard both tables by the same key, or use followAcrossShards().',
  },
} as const

/** A code of {@link viewManagerErrorCodes}. */
export type ViewErrorCode = keyof typeof viewManagerErrorCodes
