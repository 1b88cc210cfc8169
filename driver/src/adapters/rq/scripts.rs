//! What must happen in Redis at once.

use std::sync::LazyLock;

use redis::Script;

/// Lets an order of a server through, unless one of a higher generation came before: 1, or else 0.
/// `KEYS[1]`: the fence; `ARGV[1]`: the generation, padded so that text compares as a number does.
pub(super) static ENTER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local highest = redis.call('GET', KEYS[1])
         if highest and highest > ARGV[1] then return 0 end
         redis.call('SET', KEYS[1], ARGV[1])
         return 1",
    )
});

/// Tells a worker to end, once in its life. `KEYS[1]`: the mark that it was told; `ARGV`: its name,
/// its birth.
pub(super) static SHUT_DOWN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[2] then return 0 end
         local heard = redis.call('PUBLISH', 'rq:pubsub:' .. ARGV[1], '{\"command\": \"shutdown\"}')
         if heard > 0 then redis.call('SET', KEYS[1], ARGV[2], 'EX', 86400) end
         return heard",
    )
});

/// Whether a job was taken and neither begun nor given back. `ARGV`: queue, job.
const IS_STUCK: &str = "
    local queue, job = 'rq:queue:' .. ARGV[1], ARGV[2]
    local taken = queue .. ':intermediate'
    local function is_stuck()
        if redis.call('HGET', 'rq:job:' .. job, 'status') ~= 'queued' then return false end
        if redis.call('LPOS', queue, job) then return false end
        if redis.call('EXISTS', 'rq:executions:' .. job) == 1 then return false end
        for _, kind in ipairs({'wip', 'scheduled', 'deferred'}) do
            if redis.call('ZSCORE', 'rq:' .. kind .. ':' .. ARGV[1], job) then return false end
        end
        return true
    end";

/// Whether a job is stuck and has been for so many milliseconds, by the clock of Redis: 0 no, 1 yes
/// but not for so long, 2 it was put back at the head of its queue. `KEYS[1]`: since when it was
/// seen to be; `ARGV`: queue, job, milliseconds.
pub(super) static PUT_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        "{IS_STUCK}
         if not is_stuck() then
             redis.call('DEL', KEYS[1])
             return 0
         end
         local time = redis.call('TIME')
         local now = time[1] * 1000 + math.floor(time[2] / 1000)
         redis.call('SET', KEYS[1], now, 'NX', 'EX', 3600)
         if now - redis.call('GET', KEYS[1]) < tonumber(ARGV[3]) then return 1 end
         redis.call('DEL', KEYS[1])
         redis.call('LREM', taken, 0, job)
         redis.call('SADD', 'rq:queues', queue)
         redis.call('LPUSH', queue, job)
         return 2"
    ))
});
