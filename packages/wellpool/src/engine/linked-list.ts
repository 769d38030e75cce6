/** What a list needs of its members: they carry the links themselves, so that adding one allocates nothing. */
export interface Linked<Member> {
  previous: Member | undefined
  next: Member | undefined
  /** The list that the member is in. */
  list: unknown
}

/** A doubly linked list: adding at either end and removing anywhere take constant time. */
export class LinkedList<Member extends Linked<Member>> {
  head: Member | undefined = undefined
  tail: Member | undefined = undefined
  size = 0

  /** Caller must own the member: it is in no list. */
  pushFront(member: Member): void {
    const { head } = this
    member.next = head
    member.list = this
    this.head = member
    if (head === undefined) this.tail = member
    else head.previous = member
    this.size++
  }

  /** Caller must own the member: it is in no list. */
  pushBack(member: Member): void {
    this.insertBefore(undefined, member)
  }

  /** Puts a member before `place`, or last if there is none. Caller must own the member: it is in no list. */
  insertBefore(place: Member | undefined, member: Member): void {
    const previous = place === undefined ? this.tail : place.previous
    member.previous = previous
    member.next = place
    member.list = this
    if (previous === undefined) this.head = member
    else previous.next = member
    if (place === undefined) this.tail = member
    else place.previous = member
    this.size++
  }

  /** Takes out the first member. Caller must know that there is one. */
  removeHead(): void {
    const member = this.head as Member
    const { next } = member
    this.head = next
    if (next === undefined) this.tail = undefined
    else next.previous = undefined
    member.next = undefined
    member.list = undefined
    this.size--
  }

  /** @returns whether the member was in this list. */
  remove(member: Member): boolean {
    if (member.list !== this) return false
    const { previous, next } = member
    if (previous === undefined) this.head = next
    else previous.next = next
    if (next === undefined) this.tail = previous
    else next.previous = previous
    member.previous = undefined
    member.next = undefined
    member.list = undefined
    this.size--
    return true
  }

  *[Symbol.iterator](): Iterator<Member> {
    for (let member = this.head; member !== undefined; ) {
      // Taken first: the member may be removed while it is looked at.
      const { next } = member
      yield member
      member = next
    }
  }
}
