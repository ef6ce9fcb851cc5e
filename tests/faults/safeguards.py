"""Safeguards, each with what the code is when it is off and a test that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """What a safeguard is for, its code, what stands there when it is off, and a test that must notice."""

    safeguard: str
    file: str  # of the package
    old: str
    new: str
    test: str
    quick: bool = False  # tried in CI, too


KILLS = "faults/test_kills.py::test_a_killed_run_goes_on"
LOSSES = "faults/test_losses.py::"
MISTAKES = "faults/test_mistakes.py::"
CODE = "faults/test_code.py::test_what_edited_code_computed_is_never_kept_under_the_key_of_the_unedited"
DAMAGE = "faults/test_damage.py::test_damage_is_named_before_anything_is_loaded"

MUTATIONS = (
    Mutation(
        "one process at a time computes a result",
        "store/files.py",
        "        lock.acquire(timeout=-1 if wait else 0)\n",
        "",
        "faults/test_concurrency.py::test_overlapping_sweeps_compute_each_result_once",
        quick=True,
    ),
    Mutation(
        "the digest of each file",
        "store/entries.py",
        'if found.hexdigest() != expected["sha256"]:',
        "if not found.hexdigest():",
        f"{DAMAGE}[arrays.npz-one bit flipped]",
    ),
    Mutation(
        "the digest of the record",
        "store/entries.py",
        "if whole and data == sealed(record) and",
        "if whole and",
        f"{DAMAGE}[record.json-one bit flipped]",
    ),
    Mutation(
        "an entry is of its own key",
        "store/entries.py",
        'record["key"] == folder.name and',
        "",
        "faults/test_damage.py::test_entry_in_anothers_place_is_not_taken_for_it",
    ),
    Mutation(
        "an entry appears whole or not at all",
        "store/files.py",
        "unfinished = unfinished_name(path)",
        "unfinished = path",
        f"{KILLS}[mid-write of an entry]",
    ),
    Mutation(
        "what couldn't be written is taken away",
        "store/files.py",
        "        shutil.rmtree(unfinished, ignore_errors=True)\n",
        "",
        "faults/test_disk.py::test_a_disk_that_refuses_an_entry",
    ),
    Mutation(
        "damage is set aside",
        "store/store.py",
        "            self._set_aside_if_useless(known)\n",
        "",
        "faults/test_damage.py::test_what_is_damaged_is_made_again[arrays.npz]",
    ),
    Mutation(
        "a disk that refuses is told as such",
        "store/files.py",
        "if only is not None and error.errno not in only:",
        "if error.errno:",
        "faults/test_disk.py::test_a_disk_that_refuses_at_any_moment[28]",
    ),
    Mutation(
        "a full disk is told wherever it is noticed",
        "commandline.py",
        "if error.errno not in NO_ROOM and not error.filename:",
        "if error.errno:",
        "faults/test_disk.py::test_a_disk_that_is_full_while_a_report_is_made",
    ),
    Mutation(
        "a checkpoint appears whole or not at all",
        "training.py",
        "            write(path, _digest(payload, self.identity) + payload)\n",
        "            path.write_bytes(_digest(payload, self.identity) + payload)\n",
        f"{KILLS}[mid-checkpoint]",
    ),
    Mutation(
        "the digest of a checkpoint",
        "training.py",
        "if digest != _digest(payload, self.identity):",
        "if not digest:",
        "faults/test_versions.py::test_another_torchs_checkpoint_is_not_gone_on_with",
    ),
    Mutation(
        "a training goes on from its checkpoint",
        "training.py",
        "            run.resume(checkpoint)",
        "            pass",
        f"{KILLS}[mid-epoch]",
    ),
    Mutation(
        "a step's randomness is its own",
        "training.py",
        '        self.generator.manual_seed(derived_seed(seed, "corruption", self.step))\n',
        "",
        f"{KILLS}[mid-epoch]",
    ),
    Mutation(
        "nothing is fitted to test images",
        "measurements/common.py",
        "return pca.fit_pca(data.train.images.to(device))",
        "return pca.fit_pca(data.test.images.to(device))",
        "faults/test_leaks.py::test_other_test_images_change_nothing_that_is_learned",
    ),
    Mutation(
        "noise that judges is no noise that trained",
        "training.py",
        'derived_seed(seed, "corruption", self.step)',
        "1_000_003 + self.step",
        "faults/test_leaks.py::test_no_noise_of_a_training_is_met_again",
    ),
    Mutation(
        "arrays are no pickles",
        "store/entries.py",
        "    if dtype.hasobject:\n",
        "    if dtype.hasobject:\n        return __import__('pickle').loads(data[data.tell() :])\n",
        "faults/test_tampering.py::test_pickle_in_an_entry_is_refused[object_array]",
    ),
    Mutation(
        "checkpoints are no pickles",
        "training.py",
        "weights_only=True",
        "weights_only=False",
        "faults/test_tampering.py::test_pickle_in_a_checkpoint_is_refused[pickle]",
    ),
    Mutation(
        "the code counts",
        "store/store.py",
        "dict(self.inputs), self.code.digest)",
        'dict(self.inputs), "")',
        "test_store.py::test_reasons_name_the_function",
        quick=True,
    ),
    Mutation(
        "a process computes with the code that it says",
        "store/store.py",
        "        self._refuse_if_edited(known)  # what was imported meanwhile included\n",
        "",
        f"{CODE}[inside]",
    ),
    Mutation(
        "one process at a time makes a book",
        "reporting/making.py",
        "            held.enter_context(locked(path, wait=False))\n",
        "            pass\n",
        "faults/test_concurrency.py::test_two_reports_at_once_end_with_a_whole_book",
    ),
    Mutation(
        "what a killed execution leaves is in nobody's way",
        "reporting/execution.py",
        'with_suffix(".partial.ipynb")',
        'with_suffix(f".{os.getpid()}.ipynb")',
        "faults/test_kills.py::test_a_killed_report_is_mended[mid-write of a notebook]",
    ),
    Mutation(
        "nobody writes to mapped images",
        "store/entries.py",
        "access=mmap.ACCESS_COPY",
        "access=mmap.ACCESS_WRITE",
        "test_store.py::test_mapped_arrays_are_the_same_and_changes_to_them_are_ones_own",
    ),
    Mutation(
        "workers end with their run",
        "running/processes.py",
        "    exit_with_parent(parent)\n",
        "",
        "faults/test_kills.py::test_workers_end_with_a_killed_run[trainings]",
    ),
    # ── Nothing stale ────────────────────────────────────────────────────────────────────────────────────────────────
    Mutation(
        "what a module was when it was imported counts",
        "store/codehash.py",
        "loaded = importing.sources.get(str(path), then)",
        "loaded = then",
        f"{CODE}[before the store]",
    ),
    Mutation(
        "edits are noticed before the work begins",
        "store/store.py",
        "        self._refuse_if_edited(known, package)\n",
        "",
        "test_store.py::test_code_that_is_edited_while_a_process_runs_is_not_computed_with",
    ),
    Mutation(
        "bytecode is of its source",
        "importing.py",
        "        sys.meta_path.insert(0, Finder)",
        "        pass",
        "faults/test_code.py::test_bytecode_never_outlives_its_source",
    ),
    Mutation(
        "what was made elsewhere is stale where that is asked for",
        "store/store.py",
        "return self.strict and bool(",
        "return False and bool(",
        "faults/test_environment.py::test_what_differs_is_stale_where_that_is_asked_for[other_device]",
    ),
    Mutation(
        "another device is told",
        "store/store.py",
        '            *([Reason("version", "device", device, here)] if device != here else []),\n',
        "",
        "faults/test_environment.py::test_what_differs_is_told_and_used[other_device]",
    ),
    Mutation(
        "another version is told",
        "store/store.py",
        "            *_other_versions(record),\n",
        "",
        "faults/test_environment.py::test_what_differs_is_told_and_used[other_numpy]",
    ),
    Mutation(
        "other numbers under an old key are told",
        "store/store.py",
        "if now and made_of.get(name, now) != now",
        "if False",
        "faults/test_environment.py::test_measurement_of_a_model_that_was_made_anew_with_other_numbers_is_told[2.0]",
    ),
    Mutation(
        "a checkpoint is of this precision",
        "training.py",
        "computing = [torch.__version__, self.device.type, self.precision]",
        "computing = [torch.__version__, self.device.type]",
        "test_training.py::test_checkpoint_of_another_device_type_or_precision_is_ignored_and_of_another_cpu_resumed"
        "[precision]",
    ),
    Mutation(
        "outputs are as they were executed",
        "reporting/execution.py",
        'executed["metadata"][METADATA] != self.seal(executed["cells"])',
        'executed["metadata"][METADATA]["inputs"] != self.digest',
        "test_reporting_execution.py::test_notebook_that_was_edited_after_its_execution_is_outdated",
    ),
    Mutation(
        "notebooks rest on the content of artifacts",
        "reporting/making.py",
        "[lab.store.key(task), lab.store.content(task)]",
        "[lab.store.key(task)]",
        "test_reporting_execution.py::test_artifacts_that_were_made_anew_with_other_values_change_the_inputs",
    ),
    # ── No script of others ──────────────────────────────────────────────────────────────────────────────────────────
    Mutation(
        "outputs hold no scripts",
        "reporting/scripts.py",
        "if tag in ACTIVE and",
        "if False and",
        "faults/test_scripts.py::test_script_in_an_output_is_refused",
    ),
    Mutation(
        "pages without Quarto say what may run",
        "reporting/without_quarto/assets/page.html",
        '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">\n',
        "",
        "faults/test_scripts.py::test_each_page_says_what_may_run",
    ),
    Mutation(
        "pages by Quarto say what may run",
        "reporting/quarto_pages.py",
        "write_if_changed(path, scripts.add_policy(citation.with_metadata(page, book)))",
        "write_if_changed(path, citation.with_metadata(page, book))",
        "faults/test_scripts.py::test_each_page_says_what_may_run",
    ),
    Mutation(
        "entries don't inflate",
        "store/entries.py",
        "    if member.compress_type != zipfile.ZIP_STORED:\n"
        '        raise ValueError(f"{member.filename} is compressed")\n',
        "",
        "faults/test_tampering.py::test_an_entry_that_would_inflate_is_refused_before_it_does",
    ),
    # ── No loss ──────────────────────────────────────────────────────────────────────────────────────────────────────
    Mutation(
        "only what is listed is dropped",
        "reporting/folder.py",
        "in sorted(self.listed - put):",
        "in sorted({path.relative_to(self.path).as_posix() for path in _files(self.path)} - put):",
        f"{LOSSES}test_site_keeps_what_others_put_there",
    ),
    Mutation(
        "nothing is put through a link",
        "reporting/folder.py",
        "        if not self._holds(path):\n",
        "        if False:\n",
        f"{LOSSES}test_files_are_put_through_no_link",
    ),
    Mutation(
        "nothing is dropped through a link",
        "reporting/folder.py",
        "if self._holds(path) and (path.is_file()",
        "if (path.is_file()",
        f"{LOSSES}test_lists_name_nothing_outside_their_folder",
    ),
    Mutation(
        "what killed writes leave is dropped",
        "reporting/folder.py",
        "                path.unlink()  # of a rendering that was killed\n",
        "                pass\n",
        f"{LOSSES}test_what_a_killed_write_left_goes_and_what_looks_like_it_stays",
    ),
    Mutation(
        "what only looks like a killed write stays",
        "reporting/folder.py",
        "if wanted and wanted.relative_to(self.path).as_posix() in self.listed | put:",
        "if wanted:",
        f"{LOSSES}test_what_a_killed_write_left_goes_and_what_looks_like_it_stays",
    ),
    Mutation(
        "another group's PDF stays",
        "reporting/folder.py",
        'path.suffix != ".pdf" and ',
        "",
        f"{LOSSES}test_reports_of_two_groups_keep_each_others_files",
    ),
    Mutation(
        "an output folder holds no sources",
        "reporting/making.py",
        '    _check_output(manuscript)\n    path = manuscript.root / "cache/report.lock"\n',
        '    path = manuscript.root / "cache/report.lock"\n',
        f"{LOSSES}test_output_folder_that_holds_sources_is_refused[docs]",
    ),
    Mutation(
        "an output folder is nobody else's",
        "reporting/making.py",
        'if (output / "index.html").exists() and not is_marked(output):',
        "if False:",
        f"{LOSSES}test_site_of_somebody_else_is_refused",
    ),
    Mutation(
        "a report is packed before another is made",
        "reporting/making.py",
        "        return (*book.made, *_pack(manuscript))",
        "    return (*book.made, *_pack(manuscript))",
        f"{LOSSES}test_another_report_waits_until_one_is_packed",
    ),
    Mutation(
        "what is packed is of this run",
        "reporting/making.py",
        "    _check_rendered(manuscript)\n",
        "",
        f"{LOSSES}test_submission_of_another_run_is_refused_and_its_command_told",
    ),
    Mutation(
        "what is packed says what was in force",
        "settings.py",
        "if _said(edited := _edited(text, others)) == wanted:",
        "if edited := _edited(text, others):",
        f"{LOSSES}test_handed_in_parameters_are_those_in_force",
    ),
    Mutation(
        "what is packed tells of no machine",
        "reporting/submission.py",
        "    traces.check(content, book.root, settings)\n",
        "",
        "faults/test_traces.py::test_report_that_would_tell_is_made_and_not_packed",
    ),
    Mutation(
        "pruning knows all seeds",
        "inspection.py",
        'seeds = {record["spec"]["seed"] for record in records if "seed" in record["spec"]} | ',
        "seeds = set() | ",
        f"{LOSSES}test_prune_keeps_all_data_and_seeds_that_were_ever_computed",
    ),
    Mutation(
        "pruning knows all data",
        "inspection.py",
        "[Remembered(settings, plan, sources) for sources in _remembered(plan, known)]",
        "[]",
        f"{LOSSES}test_prune_keeps_all_data_and_seeds_that_were_ever_computed",
    ),
    Mutation(
        "pruning wants a cache that is marked",
        "store/store.py",
        "if unneeded and not self._is_ours():",
        "if False:",
        f"{LOSSES}test_prune_refuses_a_folder_that_is_no_cache",
    ),
    Mutation(
        "pruning leaves links alone",
        "store/store.py",
        "if match and not path.is_symlink():",
        "if match:",
        f"{LOSSES}test_prune_leaves_others_names_and_links_alone",
    ),
    Mutation(
        "pruning leaves others' names alone",
        "store/store.py",
        "_NAMED[what].fullmatch(path.name)",
        "_NAMED[what].match(path.name)",
        f"{LOSSES}test_prune_leaves_others_names_and_links_alone",
    ),
    Mutation(
        "pruning of much work is confirmed",
        "inspection.py",
        "if (seconds > HOUR or began) and not confirmed",
        "if began and not confirmed",
        f"{LOSSES}test_prune_of_much_work_is_confirmed[3601.0-False]",
    ),
    Mutation(
        "pruning of work that has begun is confirmed",
        "inspection.py",
        "if (seconds > HOUR or began) and not confirmed",
        "if seconds > HOUR and not confirmed",
        f"{LOSSES}test_prune_of_much_work_is_confirmed[0.0-True]",
    ),
    # ── No hang, no traceback ────────────────────────────────────────────────────────────────────────────────────────
    Mutation(
        "only files are read",
        "reading.py",
        "if not stat.S_ISREG(status.st_mode):",
        "if False:",
        f"{MISTAKES}test_a_broken_file_is_named_with_what_is_wrong[params.yml-folder-folder]",
    ),
    Mutation(
        "files of absurd size are not read",
        "reading.py",
        "if status.st_size > most:",
        "if False:",
        f"{MISTAKES}test_file_larger_than_any_of_a_project_is_refused",
    ),
    Mutation(
        "bombs of anchors are not written out",
        "reading.py",
        "if _values(node, {}) > MOST_VALUES:",
        "if False:",
        f"{MISTAKES}test_bombs_in_parameters_are_refused_at_once[lists]",
    ),
    Mutation(
        "times are no numbers",
        "reading.py",
        'if re.match(r"[-+]?0\\d|.*:", node.value):',
        "if False:",
        f"{MISTAKES}test_times_are_no_numbers",
    ),
    Mutation(
        "values are told in few words",
        "coercion.py",
        'return found if len(found) <= 300 else f"{found[:300]}…"',
        "return repr(value)",
        f"{MISTAKES}test_large_values_are_refused_in_few_words",
    ),
    Mutation(
        "sockets have short paths",
        "reporting/execution.py",
        'dir=None if short or os.name != "posix" else "/tmp"',
        "dir=None",
        f"{MISTAKES}test_notebooks_are_executed_wherever_temporary_files_go",
    ),
    Mutation(
        "kernels that are killed leave no file behind",
        "reporting/execution.py",
        '{"connection_file": f"{socket}.json", **sockets}',
        "sockets",
        f"{MISTAKES}test_an_interruption_ends_notebooks_with_their_kernels",
    ),
    Mutation(
        "an interruption is answered from the beginning",
        "startup.py",
        "    _on_signals(_leave)\n",
        "    _on_signals(_signal.default_int_handler)\n",
        f"{MISTAKES}test_an_interruption_while_a_command_starts",
    ),
    Mutation(
        "a second interruption ends a command",
        "startup.py",
        "        _on_signals(_end)\n        say(LINE)\n",
        "        say(LINE)\n",
        f"{MISTAKES}test_a_second_interruption_or_time_ends_what_does_not_end[1e6-2]",
    ),
)
