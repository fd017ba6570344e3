-- What is written often is checked at little cost. `x IN (three words or more)` makes a table of these words for each row
-- that is written, and drops it again; the same said with `OR` makes none. What is stored stays as it is, so that only
-- the tables' definitions are written anew (https://www.sqlite.org/lang_altertable.html, the second procedure).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''pending'', ''assigned'', ''in_progress'', ''held'', ''completed'', ''failed'', ''cancelled'')',
    '(state = ' || replace('''pending'', ''assigned'', ''in_progress'', ''held'', ''completed'', ''failed'', ''cancelled''', ', ', ' OR state = ') || ')')
    WHERE type = 'table' AND name = 'prompts';
UPDATE sqlite_schema SET sql = replace(sql, 'hold_code IN (''not_idle'', ''dialog_open'', ''draft'', ''human_typing'', ''composer_unreadable'', ''not_seen'', ''not_accepted'', ''unknown'', ''wrong_context'', ''session_gone'', ''stale_fence'', ''text_refused'', ''storage'', ''person'', ''after'', ''after_failed'', ''rate_limited'', ''dirty_tree'', ''missing_branch'', ''missing_dir'', ''prerequisite'', ''not_prepared'')',
    '(hold_code IS NULL OR hold_code = ' || replace('''not_idle'', ''dialog_open'', ''draft'', ''human_typing'', ''composer_unreadable'', ''not_seen'', ''not_accepted'', ''unknown'', ''wrong_context'', ''session_gone'', ''stale_fence'', ''text_refused'', ''storage'', ''person'', ''after'', ''after_failed'', ''rate_limited'', ''dirty_tree'', ''missing_branch'', ''missing_dir'', ''prerequisite'', ''not_prepared''', ', ', ' OR hold_code = ') || ')')
    WHERE type = 'table' AND name = 'prompts';
UPDATE sqlite_schema SET sql = replace(sql, 'wish IN (''none'', ''cancel'', ''reassign'')',
    '(wish = ' || replace('''none'', ''cancel'', ''reassign''', ', ', ' OR wish = ') || ')')
    WHERE type = 'table' AND name = 'prompts';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''pending'', ''completed'', ''failed'', ''cancelled'')',
    '(state = ' || replace('''pending'', ''completed'', ''failed'', ''cancelled''', ', ', ' OR state = ') || ')')
    WHERE type = 'table' AND name = 'prompts';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''completed'', ''failed'', ''cancelled'')',
    '(state = ' || replace('''completed'', ''failed'', ''cancelled''', ', ', ' OR state = ') || ')')
    WHERE type = 'table' AND name = 'prompts';
UPDATE sqlite_schema SET sql = replace(sql, 'outcome IN (''completed'', ''failed'', ''interrupted'', ''not_typed'', ''unknown'', ''timed_out'', ''cancelled'')',
    '(outcome IS NULL OR outcome = ' || replace('''completed'', ''failed'', ''interrupted'', ''not_typed'', ''unknown'', ''timed_out'', ''cancelled''', ', ', ' OR outcome = ') || ')')
    WHERE type = 'table' AND name = 'attempts';
UPDATE sqlite_schema SET sql = replace(sql, 'step IN (''leased'', ''offered'', ''prepared'', ''intent'', ''written'', ''seen'', ''submitted'', ''accepted'', ''started'', ''ended'', ''verified'')',
    '(step = ' || replace('''leased'', ''offered'', ''prepared'', ''intent'', ''written'', ''seen'', ''submitted'', ''accepted'', ''started'', ''ended'', ''verified''', ', ', ' OR step = ') || ')')
    WHERE type = 'table' AND name = 'receipts';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''starting'', ''idle'', ''busy'', ''waiting_permission'', ''waiting_input'', ''exited'', ''unknown'')',
    '(state = ' || replace('''starting'', ''idle'', ''busy'', ''waiting_permission'', ''waiting_input'', ''exited'', ''unknown''', ', ', ' OR state = ') || ')')
    WHERE type = 'table' AND name = 'sessions';
UPDATE sqlite_schema SET sql = replace(sql, 'source IN (''exit'', ''hook'', ''status'', ''terminal'', ''screen'', ''input'', ''silence'')',
    '(source = ' || replace('''exit'', ''hook'', ''status'', ''terminal'', ''screen'', ''input'', ''silence''', ', ', ' OR source = ') || ')')
    WHERE type = 'table' AND name = 'sessions';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''starting'', ''idle'', ''busy'', ''waiting_permission'', ''waiting_input'', ''exited'', ''unknown'')',
    '(state = ' || replace('''starting'', ''idle'', ''busy'', ''waiting_permission'', ''waiting_input'', ''exited'', ''unknown''', ', ', ' OR state = ') || ')')
    WHERE type = 'table' AND name = 'states';
UPDATE sqlite_schema SET sql = replace(sql, 'source IN (''exit'', ''hook'', ''status'', ''terminal'', ''screen'', ''input'', ''silence'')',
    '(source = ' || replace('''exit'', ''hook'', ''status'', ''terminal'', ''screen'', ''input'', ''silence''', ', ', ' OR source = ') || ')')
    WHERE type = 'table' AND name = 'states';
UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''error'', ''stack_trace'', ''test_result'', ''build'', ''file_edit'', ''file_read'', ''command'', ''code_block'', ''tool_call'', ''metric'', ''url'', ''git'', ''permission'', ''session'')',
    '(kind = ' || replace('''error'', ''stack_trace'', ''test_result'', ''build'', ''file_edit'', ''file_read'', ''command'', ''code_block'', ''tool_call'', ''metric'', ''url'', ''git'', ''permission'', ''session''', ', ', ' OR kind = ') || ')')
    WHERE type = 'table' AND name = 'events';
UPDATE sqlite_schema SET sql = replace(sql, 'severity IN (''info'', ''warning'', ''error'')',
    '(severity = ' || replace('''info'', ''warning'', ''error''', ', ', ' OR severity = ') || ')')
    WHERE type = 'table' AND name = 'events';
UPDATE sqlite_schema SET sql = replace(sql, 'origin IN (''tool'', ''agent'', ''user'', ''unknown'')',
    '(origin = ' || replace('''tool'', ''agent'', ''user'', ''unknown''', ', ', ' OR origin = ') || ')')
    WHERE type = 'table' AND name = 'events';
PRAGMA writable_schema = RESET;

-- The same for what these lists hold: a prompt has a result when it is over, and only then.
DROP INDEX prompts_open;
CREATE INDEX prompts_open ON prompts (id) WHERE result IS NULL;
DROP INDEX prompts_by_change;
CREATE INDEX prompts_by_change ON prompts (changed) WHERE result IS NOT NULL;
