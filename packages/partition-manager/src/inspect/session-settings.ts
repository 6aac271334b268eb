/**
 * Pins what changes the text or the meaning of what we send and read: bounds come and go as UTC and ISO, names are
 * always qualified, a row level security policy gives an error instead of hiding rows, and no server-side timeout of a service's role ends a long COPY.
 */
export const sessionSettings = `
set timezone to 'UTC';
set datestyle to 'ISO, YMD';
set intervalstyle to 'postgres';
set extra_float_digits to 1;
set bytea_output to 'hex';
set standard_conforming_strings to on;
set row_security to off;
set search_path to pg_catalog, pg_temp;
set default_transaction_isolation to 'read committed';
set default_transaction_read_only to off;
set statement_timeout to 0;
set idle_in_transaction_session_timeout to 0;
`
