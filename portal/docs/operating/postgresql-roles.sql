-- The roles of the portal's database, for an empty server: psql -d portal -f portal/docs/operating/postgresql-roles.sql, as a superuser, with
-- OWNER_PASSWORD and APP_PASSWORD in the environment. `portal_owner` migrates. `portal` serves: it reads and writes rows,
-- and can neither change a table nor drop the triggers that keep the log.
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
CREATE ROLE portal_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE portal LOGIN PASSWORD :'app_password';
SELECT format('ALTER DATABASE %I OWNER TO portal_owner', current_database()) \gexec
ALTER SCHEMA public OWNER TO portal_owner;
GRANT USAGE ON SCHEMA public TO portal;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO portal;
