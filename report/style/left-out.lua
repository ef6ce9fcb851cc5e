-- In print, a reference to what the edition leaves to the site says so. Which those are, and what is said, stands in the
-- metadata. A label that begins with a capital begins a sentence.

local said = {}

local function read(meta)
  for label, words in pairs(meta["left-out"] or {}) do
    said[label] = pandoc.utils.stringify(words)
  end
end

local function reference(cite)
  local id = cite.citations[1].id
  local words = said[id:sub(1, 1):lower() .. id:sub(2)]
  return words and pandoc.Str(id:match("^%u") and words:gsub("^%l", string.upper) or words)
end

return { { Meta = read }, { Cite = reference } }
