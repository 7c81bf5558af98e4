-- Slugs that were ever given to a user. Workspaces and catalogue files know people by them, so that one
-- of a deleted user must never come to mean somebody else.

CREATE TABLE used_slug (
    slug keytext NOT NULL PRIMARY KEY
);

INSERT INTO used_slug (slug) SELECT slug FROM "user";
