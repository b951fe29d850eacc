-- Who began a draft with which address, as long as nothing was chosen in it: a second press finds the first.
ALTER TABLE draft ADD COLUMN begun TEXT;
CREATE UNIQUE INDEX draft_begun ON draft (begun);
